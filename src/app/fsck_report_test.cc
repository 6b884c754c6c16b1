#include "app/fsck_report.h"

#include <gtest/gtest.h>

namespace tarn::app {
namespace {

using catalog::Finding;
using catalog::FsckReport;
using catalog::Problem;
using catalog::RepairKind;

Problem lost_tag() {
  Problem problem{.finding = Finding::tag_to_nowhere,
                  .repository = "repo",
                  .where = "tag v1",
                  .detail = "there is no commit"};
  problem.heads.add("tag v1");
  problem.repair_kind = RepairKind::refs;
  problem.repair = "delete the tag";
  return problem;
}

TEST(FsckReport, SaysWhatARepairWouldDoAndHowToAskForIt) {
  EXPECT_EQ(describe({lost_tag()}),
            "damage: tag to nowhere: repo/tag v1: there is no commit\n"
            "  present in: tag v1\n"
            "  repair (--repair=refs): delete the tag\n");
  EXPECT_EQ(describe({lost_tag(), true}),
            "damage: tag to nowhere: repo/tag v1: there is no commit\n"
            "  present in: tag v1\n"
            "  repaired: delete the tag\n");
}

TEST(FsckReport, ShowsSomePathsAndCountsAll) {
  Problem problem{.finding = Finding::staging_token_leaked,
                  .repository = {},
                  .where = "staging token t",
                  .detail = "no branch has it"};
  for (int i = 0; i < 12; ++i)
    problem.paths.add("a\n");
  const std::string text = describe({problem});
  EXPECT_NE(text.find("leftover: staging token leaked: staging token t: "), std::string::npos);
  EXPECT_NE(text.find("  paths: a\\x0a, a\\x0a"), std::string::npos);
  EXPECT_NE(text.find("... (12 in all)\n"), std::string::npos);
}

TEST(FsckReport, CallsAStoreWithLeftoversClean) {
  FsckReport report;
  report.leftovers = 2;
  EXPECT_TRUE(summarize(report, 0).ends_with(": clean, 2 leftovers\n"));
  report.damage = 3;
  EXPECT_TRUE(summarize(report, 1).ends_with(": 3 problems, 2 leftovers, 1 repaired\n"));
}

TEST(FsckReport, IsADocumentForPrograms) {
  FsckReport report;
  report.damage = 1;
  report.found[Finding::tag_to_nowhere] = 1;
  const std::string document = fsck_document(report, {{lost_tag()}});
  for (const char* part :
       {R"("clean":false)", R"("found":{"tag to nowhere":1})", R"("kind":"tag to nowhere")",
        R"("severity":"damage")", R"("repository":"repo")", R"("where":"tag v1")",
        R"("present_in":{"count":1,"some":["tag v1"]})", R"("repair_kind":"refs")",
        R"("repaired":false)"}) {
    EXPECT_NE(document.find(part), std::string::npos) << part << " in " << document;
  }
}

}  // namespace
}  // namespace tarn::app
