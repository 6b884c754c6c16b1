#include "base/metrics.h"

#include <gtest/gtest.h>

namespace tarn::metrics {
namespace {

using namespace std::chrono_literals;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(Metrics, ReturnsTheSameSeriesForTheSameLabels) {
  Counter& one = counter("tarn_test_same_total", "h", {{"a", "1"}});
  EXPECT_EQ(&one, &counter("tarn_test_same_total", "other help", {{"a", "1"}}));
  EXPECT_NE(&one, &counter("tarn_test_same_total", "h", {{"a", "2"}}));
}

TEST(Metrics, RendersOneHeadPerFamilyAndEverySeries) {
  counter("tarn_test_ops_total", "Operations.", {{"op", "get"}, {"backend", "mem"}}).add(3);
  counter("tarn_test_ops_total", "Operations.", {{"op", "set"}, {"backend", "mem"}}).add();
  EXPECT_TRUE(contains(render(),
                       "# HELP tarn_test_ops_total Operations.\n"
                       "# TYPE tarn_test_ops_total counter\n"
                       "tarn_test_ops_total{op=\"get\",backend=\"mem\"} 3\n"
                       "tarn_test_ops_total{op=\"set\",backend=\"mem\"} 1\n"))
      << render();
}

TEST(Metrics, RendersGaugesWithoutLabelsBare) {
  Gauge& depth = gauge("tarn_test_depth", "Depth.");
  depth.set(5);
  depth.add(-7);
  EXPECT_TRUE(contains(render(), "# TYPE tarn_test_depth gauge\ntarn_test_depth -2\n"));
}

TEST(Metrics, EscapesHelpAndLabelValues) {
  counter("tarn_test_escaped_total", "line\nand \\ \"quote\"", {{"l", "a\"b\\c\nd"}}).add();
  const std::string text = render();
  EXPECT_TRUE(contains(text, "# HELP tarn_test_escaped_total line\\nand \\\\ \"quote\"\n")) << text;
  EXPECT_TRUE(contains(text, R"(tarn_test_escaped_total{l="a\"b\\c\nd"} 1)")) << text;
}

TEST(Metrics, CumulatesHistogramBuckets) {
  Histogram& took = histogram("tarn_test_seconds", "Took.", {{"op", "x"}});
  took.observe(10us);  // the first bound itself
  took.observe(10'001ns);
  took.observe(1h);    // above all bounds
  took.observe(-5ns);  // a clock gone backwards counts as nothing
  EXPECT_EQ(took.count(), 4U);
  const std::string text = render();
  EXPECT_TRUE(contains(text, "tarn_test_seconds_bucket{op=\"x\",le=\"1e-05\"} 2\n")) << text;
  EXPECT_TRUE(contains(text, "tarn_test_seconds_bucket{op=\"x\",le=\"2e-05\"} 3\n")) << text;
  EXPECT_TRUE(contains(text, "tarn_test_seconds_bucket{op=\"x\",le=\"83.88608\"} 3\n")) << text;
  EXPECT_TRUE(contains(text, "tarn_test_seconds_bucket{op=\"x\",le=\"+Inf\"} 4\n")) << text;
  EXPECT_TRUE(contains(text, "tarn_test_seconds_sum{op=\"x\"} 3600.000020001\n")) << text;
  EXPECT_TRUE(contains(text, "tarn_test_seconds_count{op=\"x\"} 4\n")) << text;
}

TEST(Metrics, ReportsTheProcessItself) {
  const std::string text = render();
  EXPECT_TRUE(contains(text, "\nprocess_cpu_seconds_total "));
  EXPECT_TRUE(contains(text, "\nprocess_resident_memory_bytes "));
  EXPECT_FALSE(contains(text, "process_resident_memory_bytes 0\n"));
  EXPECT_TRUE(text.ends_with('\n'));
}

}  // namespace
}  // namespace tarn::metrics
