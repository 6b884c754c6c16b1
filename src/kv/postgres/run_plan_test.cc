#include "kv/postgres/run_plan.h"

#include <string>

#include <gtest/gtest.h>

namespace tarn::kv {
namespace {

/// "g:a" get, "s:a" set, "e:a" erase, "i:a" set_if absent, "p:a" set_if present, "v:a" set_if
/// value.
std::vector<Op> ops(std::initializer_list<const char*> texts) {
  std::vector<Op> made;
  for (const std::string text : texts) {
    const std::string key = text.substr(2);
    switch (text[0]) {
      case 'g': made.push_back(Op::get("p", key)); break;
      case 's': made.push_back(Op::set("p", key, "v")); break;
      case 'e': made.push_back(Op::erase("p", key)); break;
      case 'i': made.push_back(Op::set_if("p", key, "v", Expect::absent())); break;
      case 'p': made.push_back(Op::set_if("p", key, "v", Expect::present())); break;
      default: made.push_back(Op::set_if("p", key, "v", Expect::value("w")));
    }
  }
  return made;
}

TEST(RunPlan, StagingIsOnePart) {
  EXPECT_EQ(plan_part(ops({"g:branch", "s:entry", "g:branch"}), 0), (RunPart{0, 1, 2, 3}));
}

TEST(RunPlan, ConditionalWritesShareATransaction) {
  EXPECT_EQ(plan_part(ops({"i:commit", "v:branch"}), 0), (RunPart{0, 0, 2, 2}));
  EXPECT_EQ(plan_part(ops({"i:commit", "v:branch", "s:x", "e:y"}), 0), (RunPart{0, 0, 4, 4}));
}

TEST(RunPlan, ConditionAfterABlindWriteWaitsForIt) {
  const auto steps = ops({"s:a", "i:b", "g:a"});
  EXPECT_EQ(plan_part(steps, 0), (RunPart{0, 0, 1, 1}));
  EXPECT_EQ(plan_part(steps, 1), (RunPart{1, 1, 2, 3}));
}

TEST(RunPlan, GuardedWritesShareAStatementWhereTheyShareAGuard) {
  const Address guard{"p", "branch"};
  const std::vector<Op> steps = {Op::only_while(Op::set("t", "a", "v"), guard, "1"),
                                 Op::only_while(Op::set("t", "b", "v"), guard, "1"),
                                 Op::only_while(Op::set("t", "c", "v"), guard, "2"),
                                 Op::only_while(Op::set("t", "d", "v"), {"q", "b"}, "2")};
  EXPECT_EQ(plan_part(steps, 0), (RunPart{0, 0, 4, 4}));
  const auto statements = arrange_writes({&steps[0], &steps[1], &steps[2], &steps[3]});
  ASSERT_EQ(statements.size(), 3u);
  EXPECT_EQ(statements[0].statement, Statement::set_while);
  EXPECT_EQ(statements[0].ops.size(), 2u);
}

TEST(RunPlan, LocksAreSharedByThoseWhoRelyOnAGuard) {
  const Address guard{"p", "branch"};
  const Op relies = Op::only_while(Op::set("t", "a", "v"), guard, "1");
  const Op relies_too = Op::only_while(Op::set("t", "b", "v"), guard, "1");
  const Op changes = Op::of_guard(Op::set_if("p", "branch", "2", Expect::value("1")));
  const Op other = Op::of_guard(Op::erase("p", "other"));
  const Op plain = Op::set("t", "c", "v");
  const auto locks = [](std::vector<const Op*> writes) { return guard_locks(writes); };
  EXPECT_TRUE(locks({&plain}).empty());
  ASSERT_EQ(locks({&relies, &relies_too}).size(), 1U);
  const GuardLock shared = locks({&relies})[0];
  const GuardLock sole = locks({&changes})[0];
  EXPECT_TRUE(shared.shared);
  EXPECT_FALSE(sole.shared);
  EXPECT_EQ(shared.number, sole.number);
  EXPECT_EQ(locks({&relies, &changes}), std::vector<GuardLock>{sole});
  EXPECT_EQ(locks({&changes, &other}), locks({&other, &changes}));
  EXPECT_EQ(locks({&changes, &other}).size(), 2U);
}

TEST(RunPlan, GuardedWritesHaveTheirStatements) {
  const Address guard{"p", "branch"};
  for (const auto& [text, statement] :
       {std::pair("i:a", Statement::insert_while), std::pair("p:a", Statement::replace_while),
        std::pair("v:a", Statement::replace_if_while), std::pair("s:a", Statement::set_while),
        std::pair("e:a", Statement::erase_while)}) {
    const Op op = Op::only_while(ops({text}).front(), guard, "1");
    EXPECT_EQ(arrange_writes({&op}).front().statement, statement);
  }
}

TEST(RunPlan, GuardedErasesShareAStatementApartFromOthers) {
  const Address guard{"p", "branch"};
  const std::vector<Op> steps = {
      Op::only_while(Op::erase("t", "a"), guard, "1"),
      Op::only_while(Op::erase("t", "b"), guard, "1"),
      Op::erase("t", "c"),
      Op::only_while(Op::erase("t", "d"), guard, "2"),
      Op::only_while(Op::erase("u", "e"), guard, "2"),
  };
  std::vector<const Op*> writes;
  for (const Op& op : steps)
    writes.push_back(&op);
  std::vector<std::size_t> sizes;
  for (const auto& statement : arrange_writes(writes))
    sizes.push_back(statement.ops.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 1, 1, 1}));
}

TEST(RunPlan, GuardedWritesOfAllKindsShareATransaction) {
  std::vector<Op> steps = ops({"s:a", "e:b", "i:c", "p:d", "v:e"});
  for (Op& op : steps)
    op = Op::only_while(std::move(op), {"p", "branch"}, "1");
  EXPECT_EQ(plan_part(steps, 0), (RunPart{0, 0, 5, 5}));
}

TEST(RunPlan, AGuardedWriteAndTheWriteOfItsGuardWaitForEachOther) {
  const Op guard = Op::set_if("p", "branch", "2", Expect::value("1"));
  const Op guarded = Op::only_while(Op::set("t", "a", "v"), {"p", "branch"}, "2");
  EXPECT_EQ(plan_part(std::vector<Op>{guard, guarded}, 0), (RunPart{0, 0, 1, 1}));
  EXPECT_EQ(plan_part(std::vector<Op>{guarded, guard}, 0), (RunPart{0, 0, 1, 1}));
}

TEST(RunPlan, SecondWriteOfAnAddressWaitsForTheFirst) {
  const auto steps = ops({"s:a", "s:b", "s:a"});
  EXPECT_EQ(plan_part(steps, 0), (RunPart{0, 0, 2, 2}));
  EXPECT_EQ(plan_part(steps, 2), (RunPart{2, 2, 3, 3}));
}

TEST(RunPlan, GetsBetweenWritesBelongToTheSecond) {
  const auto steps = ops({"s:a", "g:a", "s:b"});
  EXPECT_EQ(plan_part(steps, 0), (RunPart{0, 0, 1, 1}));
  EXPECT_EQ(plan_part(steps, 1), (RunPart{1, 2, 3, 3}));
}

TEST(RunPlan, WritesAreSortedAndMergedWhereOneStatementCanDo) {
  const auto steps = ops({"s:d", "e:b", "s:c", "i:a", "e:bb", "s:e"});
  std::vector<const Op*> writes;
  for (const Op& op : steps)
    writes.push_back(&op);
  const auto statements = arrange_writes(writes);
  std::string text;
  for (const auto& statement : statements) {
    text += prepared(statement.statement).name;
    for (const Op* op : statement.ops)
      text += " " + op->address.key;
    text += "; ";
  }
  EXPECT_EQ(text, "kv_insert a; kv_erase_any b bb; kv_set_many c d e; ");
}

TEST(RunPlan, ErasesOfTwoPartitionsAreTwoStatements) {
  const std::vector<Op> steps = {Op::erase("p", "a"), Op::erase("q", "a")};
  EXPECT_EQ(arrange_writes({&steps[0], &steps[1]}).size(), 2u);
}

TEST(RunPlan, ConditionsHaveTheirStatements) {
  for (const auto& [text, statement] :
       {std::pair("i:a", Statement::insert), std::pair("p:a", Statement::replace),
        std::pair("v:a", Statement::replace_if), std::pair("s:a", Statement::set),
        std::pair("e:a", Statement::erase)}) {
    const auto steps = ops({text});
    EXPECT_EQ(arrange_writes({&steps[0]}).front().statement, statement);
  }
}

}  // namespace
}  // namespace tarn::kv
