// How the driver looks: differences, listings, single keys, and everything at the end.
#include <algorithm>
#include <array>
#include <utility>

#include "base/format.h"
#include "versioning/model_driver_test_support.h"
#include "versioning/model_outcome_test_support.h"

namespace tarn::versioning::model {

namespace {

constexpr std::array kMarks = std::to_array<char>({'+', '-', '~', '!'});

std::string row(const Difference& difference) {
  const char mark = kMarks.at(static_cast<std::size_t>(difference.type));
  if (difference.type == DiffType::conflict) return mark + difference.key;
  return mark + difference.key + "=" + difference.value.data;
}

Task<Rows> read(Context& ctx, DiffStream& stream, std::size_t rows_max = SIZE_MAX) {
  Rows rows;
  while (rows.size() < rows_max && (stream.next() || co_await stream.fill(ctx)))
    rows.push_back(row(stream.difference()));
  co_return rows;
}

Task<Rows> read(Context& ctx, RecordStream& stream, std::size_t rows_max = SIZE_MAX) {
  Rows rows;
  while (rows.size() < rows_max && (stream.next() || co_await stream.fill(ctx))) {
    rows.push_back(std::string(stream.record().key).append("=").append(stream.record().data));
  }
  co_return rows;
}

/// Rows from `key` on; differences have a mark before their key.
Rows from_key(const Rows& rows, const std::string& key, std::size_t mark) {
  Rows rest;
  for (const std::string& r : rows) {
    if (r.substr(mark, r.find('=') - mark) >= key) rest.push_back(r);
  }
  return rest;
}

Tree tree_from(const Tree& tree, const std::string& from) {
  return {tree.lower_bound(from), tree.end()};
}

}  // namespace

Task<> Driver::expect_rows(Context& ctx, DiffStream& stream, Rows expected, std::uint32_t seek_pick,
                           std::string_view what) {
  if (seek_pick % 3 != 0) {
    expect_same(co_await read(ctx, stream), expected, what);
    co_return;
  }
  // Some rows, then from a place before or behind them to the end.
  const std::size_t some = seek_pick / 3 % 10;
  const Rows first = co_await read(ctx, stream, some);
  expect_same(first,
              Rows(expected.begin(),
                   expected.begin() + static_cast<std::ptrdiff_t>(std::min(some, expected.size()))),
              what);
  const std::string key = key_of(seek_pick / 30);
  stream.seek(key);
  expect_same(co_await read(ctx, stream), from_key(expected, key, 1),
              format("{} from {}", what, key));
}

Task<> Driver::diff(Context& ctx, const Op& op) {
  const Ref left = ref(op.pick[0], op.pick[1]);
  Ref right = ref(op.pick[2], op.pick[3]);
  const auto stream = co_await attempt(engine_.diff(ctx, repository_, left.text, right.text));
  const std::string what = format("diff {} {}", left.text, right.text);
  const Outcome wanted = left.error ? left.error : right.dollar ? std::nullopt : right.error;
  expect_outcome(stream.error, wanted, what);
  if (wanted) co_return;
  if (!right.dollar) right.staged.clear();  // a plain name stands for its head
  const Tree& before = state_.commits[left.commit].tree;
  const Tree after = visible(right);
  co_await expect_rows(ctx, **stream.value, two_dot(before, after), op.pick[4], what);
  if (right.dollar) co_return;
  const auto mirror = co_await engine_.diff(ctx, repository_, right.text, left.text);
  expect_same(co_await read(ctx, *mirror), two_dot(after, before), "mirror of " + what);
}

Task<> Driver::compare(Context& ctx, const Op& op) {
  const Ref left = ref(op.pick[0], op.pick[1]);
  const Ref right = ref(op.pick[2], op.pick[3]);
  const auto stream = co_await attempt(engine_.compare(ctx, repository_, left.text, right.text));
  const std::string what = format("compare {} {}", left.text, right.text);
  const Outcome wanted = right.error ? right.error : left.error;
  expect_outcome(stream.error, wanted, what);
  if (wanted) co_return;
  const std::size_t base = state_.merge_base(right.commit, left.commit);
  co_await expect_rows(ctx, **stream.value,
                       three_dot(state_.commits[left.commit].tree,
                                 state_.commits[right.commit].tree, state_.commits[base].tree),
                       op.pick[4], what);
}

Task<> Driver::diff_uncommitted(Context& ctx, const Op& op) {
  const std::string on = branch_name(op.pick[0]);
  const auto stream =
      co_await engine_.diff_uncommitted(ctx, repository_, BranchId::from_stored(on));
  co_await expect_rows(ctx, *stream,
                       two_dot(head_tree(on), overlaid(head_tree(on), branch(on).staging)),
                       op.pick[1], "uncommitted on " + on);
}

Task<> Driver::list(Context& ctx, const Op& op) {
  const Ref at = ref(op.pick[0], op.pick[1]);
  const auto resolved = co_await attempt(engine_.resolve(ctx, repository_, at.text));
  const Outcome wanted = at.dollar ? std::nullopt : at.error;
  expect_outcome(resolved.error, wanted, "resolve " + at.text);
  if (wanted) co_return;
  const Tree tree = visible(at);
  const std::string from = op.pick[2] % 3 == 0 ? "" : key_of(op.pick[2]);
  const auto records = engine_.list(repository_, *resolved.value, from);
  const std::size_t some = op.pick[3] % 3 == 0 ? SIZE_MAX : op.pick[3] % 20;
  Rows wanted_rows = listing(tree_from(tree, from));
  if (wanted_rows.size() > some) wanted_rows.resize(some);
  expect_same(co_await read(ctx, *records, some), wanted_rows,
              format("list {} from {}", at.text, from));
  const std::string again = key_of(op.pick[4]);
  records->seek(again);
  expect_same(co_await read(ctx, *records), listing(tree_from(tree, again)),
              format("list {}, then from {}", at.text, again));
}

Task<> Driver::get(Context& ctx, const Op& op) {
  const Ref at = ref(op.pick[0], op.pick[1]);
  if (at.error && !at.dollar) co_return;
  const ResolvedRef resolved = co_await engine_.resolve(ctx, repository_, at.text);
  expect(resolved.commit_id.str() == state_.commits[at.commit].id, at.text + " resolves wrongly");
  const Tree tree = visible(at);
  const std::string key = key_of(op.pick[2]);
  const auto value = co_await engine_.get(ctx, repository_, resolved, key);
  const auto found = tree.find(key);
  const std::string wanted = found == tree.end() ? "nothing" : found->second;
  const std::string seen = value ? value->data : "nothing";
  expect(seen == wanted, format("{} at {}: {} instead of {}", key, at.text, seen, wanted));
}

Task<> Driver::check_all(Context& ctx) {
  for (const auto& [name, branch] : state_.branches) {
    expect_same(co_await server_.list(ctx, repository_, name),
                listing(overlaid(head_tree(name), branch.staging)), "in the end, " + name);
    const auto log = co_await engine_.log(ctx, repository_, name, {.amount = 10'000});
    Rows seen;
    for (const CommitPtr& commit : log.items)
      seen.push_back(commit->id.str());
    Rows wanted;
    for (const std::size_t at : state_.history(branch.head))
      wanted.push_back(state_.commits[at].id);
    expect_same(seen, wanted, "log of " + name);
  }
  for (std::size_t at = 0; at < state_.commits.size(); at += 8) {  // adopt() has seen each once
    const ModelCommit& commit = state_.commits[at];
    expect_same(co_await server_.list(ctx, repository_, commit.id), listing(commit.tree),
                "in the end, commit " + commit.id);
  }
  co_await engine_.clean_up(ctx);
  for (const auto& [name, branch] : state_.branches) {
    expect_same(co_await server_.list(ctx, repository_, name),
                listing(overlaid(head_tree(name), branch.staging)), "after clean-up, " + name);
  }
}

}  // namespace tarn::versioning::model
