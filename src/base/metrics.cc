#include "base/metrics.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include <unistd.h>

#include <sys/resource.h>

#include "base/error.h"
#include "base/format.h"

namespace tarn::metrics {

namespace {

constexpr std::uint64_t kFirstBoundNs = 10'000;

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out.push_back('\\');
      out.push_back(c);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string labels_text(Labels labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out.push_back(',');
    append_format(out, "{}=\"{}\"", key, escaped(value, true));
  }
  return out;
}

/// `name{labels,more} `, with the braces only when there is something in them.
void append_series(std::string& out, std::string_view name, std::string_view labels,
                   std::string_view more = {}) {
  out += name;
  if (!labels.empty() || !more.empty()) {
    append_format(out, "{{{}{}{}}}", labels, labels.empty() || more.empty() ? "" : ",", more);
  }
  out.push_back(' ');
}

void append_value(std::string& out, std::string_view name, std::string_view labels,
                  const Counter& counter) {
  append_series(out, name, labels);
  append_format(out, "{}\n", counter.value());
}

void append_value(std::string& out, std::string_view name, std::string_view labels,
                  const Gauge& gauge) {
  append_series(out, name, labels);
  append_format(out, "{}\n", gauge.value());
}

void append_value(std::string& out, std::string_view name, std::string_view labels,
                  const Histogram& histogram) {
  const std::string bucket = format("{}_bucket", name);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    below += histogram.buckets[i].load(std::memory_order_relaxed);
    const double bound = static_cast<double>(kFirstBoundNs << i) / 1e9;
    append_series(out, bucket, labels, format("le=\"{}\"", bound));
    append_format(out, "{}\n", below);
  }
  // The total is that of this very pass, so that the buckets never exceed it under load.
  below += histogram.buckets[Histogram::kBuckets].load(std::memory_order_relaxed);
  append_series(out, bucket, labels, "le=\"+Inf\"");
  append_format(out, "{}\n", below);
  append_series(out, format("{}_sum", name), labels);
  append_format(out, "{:.9f}\n",
                static_cast<double>(histogram.sum_ns.load(std::memory_order_relaxed)) / 1e9);
  append_series(out, format("{}_count", name), labels);
  append_format(out, "{}\n", below);
}

constexpr std::string_view type_name(const Counter&) {
  return "counter";
}

constexpr std::string_view type_name(const Gauge&) {
  return "gauge";
}

constexpr std::string_view type_name(const Histogram&) {
  return "histogram";
}

using Series =
    std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;

struct Family {
  std::string help;
  std::map<std::string, Series> series;  // by label text
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
};

Registry& registry() {
  static auto* instance = new Registry;  // outlives every static that still counts
  return *instance;
}

template <class Metric>
Metric& find_or_make(std::string_view name, std::string_view help, Labels labels) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  auto family = all.families.find(name);
  if (family == all.families.end()) {
    family = all.families.emplace(std::string(name), Family{std::string(help), {}}).first;
  }
  auto& series = family->second.series;
  std::string key = labels_text(labels);
  auto found = series.find(key);
  if (found == series.end()) {
    found = series.emplace(std::move(key), std::make_unique<Metric>()).first;
  }
  // One name is one type: the text format cannot say anything else.
  auto* const metric = std::get_if<std::unique_ptr<Metric>>(&found->second);
  TARN_ASSERT(metric != nullptr);
  return **metric;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t resident_bytes() {
  unsigned long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view type) {
  append_format(out, "# HELP {} {}\n# TYPE {} {}\n", name, escaped(help, false), name, type);
}

}  // namespace

void Histogram::observe(std::chrono::nanoseconds took) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
  std::size_t bucket = 0;
  while (bucket < kBuckets && ns > kFirstBoundNs << bucket)
    ++bucket;
  buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_ns.fetch_add(ns, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets)
    total += bucket.load(std::memory_order_relaxed);
  return total;
}

Counter& counter(std::string_view name, std::string_view help, Labels labels) {
  return find_or_make<Counter>(name, help, labels);
}

Gauge& gauge(std::string_view name, std::string_view help, Labels labels) {
  return find_or_make<Gauge>(name, help, labels);
}

Histogram& histogram(std::string_view name, std::string_view help, Labels labels) {
  return find_or_make<Histogram>(name, help, labels);
}

std::string render() {
  std::string out;
  Registry& all = registry();
  {
    const std::scoped_lock lock(all.mutex);
    for (const auto& [name, family] : all.families) {
      bool first = true;
      for (const auto& [labels, series] : family.series) {
        std::visit(
            [&](const auto& metric) {
              if (first) append_head(out, name, family.help, type_name(*metric));
              append_value(out, name, labels, *metric);
            },
            series);
        first = false;
      }
    }
  }
  append_head(out, "process_cpu_seconds_total", "User and system CPU time.", "counter");
  append_format(out, "process_cpu_seconds_total {:.6f}\n", cpu_seconds());
  append_head(out, "process_resident_memory_bytes", "Resident memory.", "gauge");
  append_format(out, "process_resident_memory_bytes {}\n", resident_bytes());
  return out;
}

}  // namespace tarn::metrics
