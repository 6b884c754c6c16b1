#include "versioning/model_driver_test_support.h"

#include <algorithm>
#include <array>
#include <exception>
#include <type_traits>
#include <utility>

#include "base/format.h"

namespace tarn::versioning::model {

namespace {

constexpr std::uint32_t kKeys = 96;
constexpr std::uint32_t kFolders = 7;
constexpr std::uint32_t kVariants = 3;
constexpr std::array kMarks = std::to_array<char>({'+', '-', '~', '!'});

std::string key_of(std::uint32_t pick) {
  const std::uint32_t number = pick % kKeys;
  return format("d{}/{}", number % kFolders, number / kFolders);
}

/// Values of different keys never have one identity: the reference's merge looks at identities of
/// neighbours in some corners (storage-format.md 4.4).
std::string text_of(std::string_view key, std::uint32_t pick) {
  return format("{}#{}", key, pick % kVariants);
}

std::string prefix_of(std::uint32_t pick) {
  if (pick % 16 == 0) return {};
  const std::uint32_t folder = pick / 16 % kFolders;
  return pick % 3 == 0 ? format("d{}/1", folder) : format("d{}/", folder);
}

std::string name(const std::optional<ErrorCode>& code) {
  return code ? std::string(to_string(*code)) : "success";
}

void expect(bool condition, const std::string& text) {
  if (!condition) throw Mismatch(text);
}

void expect_outcome(const std::optional<ErrorCode>& seen, const std::optional<ErrorCode>& wanted,
                    std::string_view what) {
  expect(seen == wanted, format("{}: {} instead of {}", what, name(seen), name(wanted)));
}

std::string joined(const Rows& rows) {
  std::string text;
  for (const std::string& row : rows)
    text += row + " ";
  return text;
}

void expect_same(const Rows& seen, const Rows& wanted, std::string_view what) {
  expect(seen == wanted,
         format("{}\n  engine: {}\n  model:  {}", what, joined(seen), joined(wanted)));
}

template <class T>
struct Answer {
  std::optional<ErrorCode> error;
  std::optional<T> value;
};

struct Nothing {};

template <class T>
Task<Answer<std::conditional_t<std::is_void_v<T>, Nothing, T>>> attempt(Task<T> task) {
  Answer<std::conditional_t<std::is_void_v<T>, Nothing, T>> answer;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      answer.value.emplace();
    } else {
      answer.value.emplace(co_await std::move(task));
    }
  } catch (const Error& error) {
    answer.error = error.code();
  }
  co_return answer;
}

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

Task<> Driver::start(Context& ctx) {
  const Branch main = co_await engine_.get_branch(ctx, repository_, server_.main);
  const CommitPtr root = co_await engine_.get_commit(ctx, repository_, main.commit_id);
  state_.commits.push_back({.id = root->id.str(), .meta_range_id = root->meta_range_id});
  state_.branches["main"] = {};
}

std::string Driver::branch_name(std::uint32_t pick) const {
  auto at = state_.branches.begin();
  std::advance(at, pick % state_.branches.size());
  return at->first;
}

Driver::Ref Driver::ref(std::uint32_t pick, std::uint32_t form) const {
  const std::string some = branch_name(pick);
  const std::size_t head = state_.branches.at(some).head;
  const std::size_t any = pick % state_.commits.size();
  const std::string& id = state_.commits[any].id;
  Ref ref{.text = some, .commit = head};
  switch (form % 10) {
    case 0:
      ref.text = id;
      ref.commit = any;
      break;
    case 1: ref.text = some + "@"; break;
    case 2:
      ref.text = some + "$";
      ref.staged = some;
      ref.dollar = true;
      ref.error = ErrorCode::invalid_argument;
      break;
    case 3:
      ref.text = id.substr(0, 24);
      ref.commit = any;
      break;
    case 4: {
      ref.text = format("{}~{}", some, form / 10 % 4);
      for (std::uint32_t n = form / 10 % 4; n > 0 && !ref.error; --n) {
        const auto& parents = state_.commits[ref.commit].parents;
        if (parents.empty()) {
          ref.error = ErrorCode::not_found;
        } else {
          ref.commit = parents.front();
        }
      }
      break;
    }
    case 5: {
      const std::uint32_t number = form / 10 % 3;
      const auto& parents = state_.commits[any].parents;
      ref.text = format("{}^{}", id, number);
      ref.commit = any;
      if (number > parents.size()) {
        ref.error = ErrorCode::invalid_argument;
      } else if (number > 0) {
        ref.commit = parents[number - 1];
      }
      break;
    }
    case 6:
      if (!state_.tags.empty()) {
        auto at = state_.tags.begin();
        std::advance(at, pick % state_.tags.size());
        ref.text = at->first;
        ref.commit = at->second;
        break;
      }
      [[fallthrough]];
    default: ref.staged = some; break;
  }
  return ref;
}

Tree Driver::visible(const Ref& ref) const {
  const Tree& tree = state_.commits[ref.commit].tree;
  return ref.staged.empty() ? tree : overlaid(tree, state_.branches.at(ref.staged).staging);
}

const Tree& Driver::head_tree(const std::string& name) const {
  return state_.commits[state_.branches.at(name).head].tree;
}

bool Driver::is_clean(const std::string& name) const {
  const Tree& tree = head_tree(name);
  return overlaid(tree, state_.branches.at(name).staging) == tree;
}

Task<> Driver::step(Context& ctx, const Op& op) {
  server_.clock.advance(std::chrono::seconds(1));
  switch (op.kind) {
    case OpKind::set:
    case OpKind::set_run:
    case OpKind::set_if_absent:
    case OpKind::update: return write(ctx, op);
    case OpKind::remove:
    case OpKind::remove_no_tombstone: return remove(ctx, op);
    case OpKind::commit: return commit(ctx, branch_name(op.pick[0]), false);
    case OpKind::commit_empty: return commit(ctx, branch_name(op.pick[0]), true);
    case OpKind::create_branch: return create_branch(ctx, op);
    case OpKind::delete_branch: return delete_branch(ctx, op);
    case OpKind::create_tag:
    case OpKind::delete_tag: return tag(ctx, op);
    case OpKind::merge: return merge(ctx, op);
    case OpKind::revert: return revert(ctx, op);
    case OpKind::cherry_pick: return cherry_pick(ctx, op);
    case OpKind::reset_key:
    case OpKind::reset_prefix:
    case OpKind::reset_branch: return reset(ctx, op);
    case OpKind::hard_reset:
    case OpKind::repoint: return move(ctx, op);
    case OpKind::diff: return diff(ctx, op);
    case OpKind::compare: return compare(ctx, op);
    case OpKind::diff_uncommitted: return diff_uncommitted(ctx, op);
    case OpKind::list: return list(ctx, op);
    case OpKind::get: return get(ctx, op);
  }
  std::unreachable();
}

Task<> Driver::write(Context& ctx, const Op& op) {
  const std::string to = branch_name(op.pick[0]);
  const BranchId id = BranchId::from_stored(to);
  Staging& staging = branch(to).staging;
  const std::uint32_t count = op.kind == OpKind::set_run ? 4 + op.pick[2] % 12 : 1;
  for (std::uint32_t n = 0; n < count; ++n) {
    const std::string key = key_of(op.pick[1] + n);
    const std::string text = text_of(key, op.pick[3]);
    const Tree before = overlaid(head_tree(to), staging);
    const auto found = before.find(key);
    if (op.kind == OpKind::set_if_absent) {
      const auto done = co_await attempt(
          engine_.set_if_absent(ctx, repository_, id, key, EngineOn::value(text), WriteOptions{}));
      const bool there = found != before.end();
      expect_outcome(done.error, there ? Outcome(ErrorCode::precondition_failed) : std::nullopt,
                     "set_if_absent " + key);
      if (there) continue;
    } else if (op.kind == OpKind::update) {
      std::string seen = "nothing";
      const Engine::Change change = [&](const std::optional<Value>& value) {
        if (value) seen = value->data;
        return EngineOn::value(text);
      };
      co_await engine_.update(ctx, repository_, id, key, change, {});
      const std::string wanted = found == before.end() ? "nothing" : found->second;
      expect(seen == wanted, format("update of {} saw {} instead of {}", key, seen, wanted));
    } else {
      co_await engine_.set(ctx, repository_, id, key, EngineOn::value(text), {});
    }
    staging[key] = text;
  }
}

Task<> Driver::remove(Context& ctx, const Op& op) {
  const std::string from = branch_name(op.pick[0]);
  std::vector<std::string> keys;
  for (std::uint32_t n = 0; n <= op.pick[2] % 4; ++n)
    keys.push_back(key_of(op.pick[1] + n * (1 + op.pick[3] % 5)));
  const bool no_tombstone = op.kind == OpKind::remove_no_tombstone;
  const auto outcomes = co_await engine_.remove(ctx, repository_, BranchId::from_stored(from), keys,
                                                {.no_tombstone = no_tombstone});
  for (const auto& outcome : outcomes)
    expect(!outcome, "remove failed");
  Staging& staging = branch(from).staging;
  for (const std::string& key : keys) {
    const bool committed = head_tree(from).contains(key);
    if (committed || (!no_tombstone && staging.contains(key))) {
      staging[key] = std::nullopt;
    } else if (no_tombstone) {
      staging.erase(key);
    }
  }
}

Task<> Driver::adopt(Context& ctx, const std::string& name, const CommitId& id, Tree tree,
                     std::vector<std::size_t> parents, std::int32_t generation) {
  const CommitPtr made = co_await engine_.get_commit(ctx, repository_, id);
  expect(made->parents.size() == parents.size(), "number of parents");
  for (std::size_t i = 0; i < parents.size(); ++i)
    expect(made->parents[i].str() == state_.commits[parents[i]].id, "a parent");
  expect(made->generation == generation,
         format("generation {} instead of {}", made->generation, generation));
  const Branch record = co_await engine_.get_branch(ctx, repository_, BranchId::from_stored(name));
  expect(record.commit_id == id, "the branch does not point at the new commit");
  expect(record.sealed_tokens.empty(), "sealed tokens are left");
  expect_same(co_await server_.list(ctx, repository_, id.str()), listing(tree), "the new commit");
  server_.clock.advance(std::chrono::seconds(1));  // no two of one date
  state_.commits.push_back({.id = id.str(),
                            .meta_range_id = made->meta_range_id,
                            .tree = std::move(tree),
                            .parents = std::move(parents),
                            .generation = generation});
  branch(name) = {.head = state_.commits.size() - 1, .staging = {}};
}

Task<> Driver::commit(Context& ctx, std::string name, bool allow_empty) {
  const auto made = co_await attempt(
      engine_.commit(ctx, repository_, BranchId::from_stored(name),
                     {.committer = "c", .message = "m", .allow_empty = allow_empty}));
  const bool nothing = is_clean(name) && !allow_empty;
  expect_outcome(made.error, nothing ? Outcome(ErrorCode::no_changes) : std::nullopt,
                 "commit on " + name);
  if (nothing) {
    branch(name).staging.clear();
    co_return;
  }
  const std::size_t parent = branch(name).head;
  co_await adopt(ctx, name, made.value->id, overlaid(head_tree(name), branch(name).staging),
                 {parent}, state_.commits[parent].generation + 1);
}

Task<> Driver::create_branch(Context& ctx, const Op& op) {
  const std::string name = op.pick[0] % 8 == 0 ? "t1" : format("b{}", op.pick[0] % 5);
  const Ref source = ref(op.pick[1], op.pick[2]);
  const auto made = co_await attempt(engine_.create_branch(
      ctx, repository_, BranchId::from_stored(name), source.text, false, false));
  Outcome wanted = source.error;
  if (!wanted && state_.branches.contains(name)) wanted = ErrorCode::already_exists;
  if (state_.tags.contains(name)) wanted = ErrorCode::conflict;
  expect_outcome(made.error, wanted, format("create branch {} from {}", name, source.text));
  if (!wanted) state_.branches[name] = {.head = source.commit, .staging = {}};
}

Task<> Driver::delete_branch(Context& ctx, const Op& op) {
  const std::string name = op.pick[1] % 8 == 0 ? "b9" : branch_name(op.pick[0]);
  const auto done =
      co_await attempt(engine_.delete_branch(ctx, repository_, BranchId::from_stored(name), false));
  Outcome wanted;
  if (name == "main") wanted = ErrorCode::forbidden;
  if (!state_.branches.contains(name)) wanted = ErrorCode::branch_not_found;
  expect_outcome(done.error, wanted, "delete branch " + name);
  if (!wanted) state_.branches.erase(name);
}

Task<> Driver::tag(Context& ctx, const Op& op) {
  const std::string name = op.pick[0] % 8 == 0 ? "b1" : format("t{}", op.pick[0] % 4);
  const TagId id = TagId::from_stored(name);
  Outcome wanted;
  if (op.kind == OpKind::delete_tag) {
    const auto done = co_await attempt(engine_.delete_tag(ctx, repository_, id, false));
    if (!state_.tags.contains(name)) wanted = ErrorCode::tag_not_found;
    expect_outcome(done.error, wanted, "delete tag " + name);
    state_.tags.erase(name);
    co_return;
  }
  const Ref target = ref(op.pick[1], op.pick[2]);
  const auto made = co_await attempt(engine_.create_tag(ctx, repository_, id, target.text, false));
  wanted = target.error;
  if (!wanted && state_.tags.contains(name)) wanted = ErrorCode::already_exists;
  if (state_.branches.contains(name)) wanted = ErrorCode::conflict;
  expect_outcome(made.error, wanted, format("create tag {} at {}", name, target.text));
  if (!wanted) state_.tags[name] = target.commit;
}

Task<> Driver::merge(Context& ctx, const Op& op) {
  const std::string to = branch_name(op.pick[0]);
  if (op.pick[4] % 4 != 0) co_await commit(ctx, to, true);
  const Ref source = ref(op.pick[1], op.pick[2]);
  const MergeParams params{.committer = "c",
                           .strategy = static_cast<MergeStrategy>(op.pick[3] % 3),
                           .squash = op.pick[3] / 3 % 4 == 0,
                           .allow_empty = op.pick[3] / 12 % 4 == 0};
  const auto made = co_await attempt(
      engine_.merge(ctx, repository_, BranchId::from_stored(to), source.text, params));
  const std::string what = format("merge {} into {}", source.text, to);
  if (!is_clean(to)) {
    expect_outcome(made.error, ErrorCode::dirty_branch, what);
    co_return;
  }
  branch(to).staging.clear();
  if (source.error) {
    expect_outcome(made.error, source.error, what);
    co_return;
  }
  const std::size_t head = branch(to).head;
  const ModelCommit& from = state_.commits[source.commit];
  const ModelCommit& base = state_.commits[state_.merge_base(source.commit, head)];
  if (from.meta_range_id == base.meta_range_id && !params.allow_empty) {
    expect_outcome(made.error, ErrorCode::no_changes, what);
    co_return;
  }
  expect_outcome(made.error, std::nullopt, what);
  Merged result = merged(head_tree(to), from.tree, base.tree, params.strategy);
  const bool refused = result.conflicts > 0 && params.strategy == MergeStrategy::none;
  expect(made.value->commit_id.has_value() != refused, what + ": conflict or not");
  expect((made.value->summary.conflicts > 0) == (result.conflicts > 0), what + ": conflicts");
  if (refused) co_return;
  std::vector<std::size_t> parents{head};
  if (!params.squash) parents.push_back(source.commit);
  const std::int32_t generation = std::max(state_.commits[head].generation, from.generation) + 1;
  co_await adopt(ctx, to, *made.value->commit_id, std::move(result.tree), std::move(parents),
                 generation);
}

Task<> Driver::adopt_replayed(Context& ctx, const std::string& name, const Outcome& outcome,
                              const std::optional<Commit>& made, Tree tree, bool empty_allowed) {
  const bool may_be_refused = tree == head_tree(name) && !empty_allowed;
  if (may_be_refused && outcome == ErrorCode::no_changes) co_return;
  expect_outcome(outcome, std::nullopt, "replay on " + name);
  const std::size_t parent = branch(name).head;
  co_await adopt(ctx, name, made->id, std::move(tree), {parent},
                 state_.commits[parent].generation + 1);
}

Task<> Driver::revert(Context& ctx, const Op& op) {
  const std::string on = branch_name(op.pick[0]);
  if (op.pick[4] % 4 != 0) co_await commit(ctx, on, true);
  const Ref target = ref(op.pick[1], op.pick[2]);
  const RevertParams params{.committer = "c",
                            .parent_number = static_cast<int>(op.pick[3] % 3),
                            .allow_empty = op.pick[3] / 3 % 4 == 0};
  const auto made = co_await attempt(
      engine_.revert(ctx, repository_, BranchId::from_stored(on), target.text, params));
  const std::string what =
      format("revert {} against {} on {}", target.text, params.parent_number, on);
  Outcome wanted = target.error;
  const ModelCommit& commit = state_.commits[target.commit];
  const std::size_t number = params.parent_number == 0 ? 1 : op.pick[3] % 3;
  const bool root = commit.parents.empty() && params.parent_number == 0;
  if (!wanted && commit.parents.size() > 1 && params.parent_number == 0) {
    wanted = ErrorCode::conflict;
  }
  if (!wanted && !root && number > commit.parents.size()) wanted = ErrorCode::invalid_argument;
  if (!wanted && !is_clean(on)) wanted = ErrorCode::dirty_branch;
  if (wanted) {
    expect_outcome(made.error, wanted, what);
    co_return;
  }
  branch(on).staging.clear();
  const Tree parent = root ? Tree() : state_.commits[commit.parents[number - 1]].tree;
  Merged result = merged(head_tree(on), parent, commit.tree, MergeStrategy::none);
  if (bug_ == Bug::revert_forgets_removed_keys) {
    for (const auto& [key, text] : parent) {
      if (!commit.tree.contains(key)) result.tree.erase(key);
    }
  }
  if (result.conflicts > 0) {
    expect_outcome(made.error, ErrorCode::conflict, what);
    co_return;
  }
  co_await adopt_replayed(ctx, on, made.error, made.value, std::move(result.tree),
                          params.allow_empty);
}

Task<> Driver::cherry_pick(Context& ctx, const Op& op) {
  const std::string on = branch_name(op.pick[0]);
  if (op.pick[4] % 4 != 0) co_await commit(ctx, on, true);
  const Ref target = ref(op.pick[1], op.pick[2]);
  CherryPickParams params{.committer = "c"};
  const std::uint32_t number = op.pick[3] % 4;  // 3: not given
  if (number < 3) params.parent_number = static_cast<int>(number);
  const auto made = co_await attempt(
      engine_.cherry_pick(ctx, repository_, BranchId::from_stored(on), target.text, params));
  const std::string what = format("cherry-pick {} against {} onto {}", target.text, number, on);
  const ModelCommit& commit = state_.commits[target.commit];
  const std::size_t parent = number == 3 ? 1 : number;
  Outcome wanted = target.error;
  if (number == 0) wanted = ErrorCode::invalid_argument;
  if (!wanted && ((commit.parents.size() > 1 && number == 3) || parent > commit.parents.size())) {
    wanted = ErrorCode::invalid_argument;
  }
  if (!wanted && !is_clean(on)) wanted = ErrorCode::dirty_branch;
  if (!wanted) {
    branch(on).staging.clear();
    const ModelCommit& base = state_.commits[commit.parents[parent - 1]];
    if (base.meta_range_id == commit.meta_range_id) wanted = ErrorCode::no_changes;
  }
  if (wanted) {
    expect_outcome(made.error, wanted, what);
    co_return;
  }
  Merged result = merged(head_tree(on), commit.tree,
                         state_.commits[commit.parents[parent - 1]].tree, MergeStrategy::none);
  if (result.conflicts > 0) {
    expect_outcome(made.error, ErrorCode::conflict, what);
    co_return;
  }
  co_await adopt_replayed(ctx, on, made.error, made.value, std::move(result.tree), true);
}

Task<> Driver::reset(Context& ctx, const Op& op) {
  const std::string on = branch_name(op.pick[0]);
  const BranchId id = BranchId::from_stored(on);
  Staging& staging = branch(on).staging;
  const Tree& tree = head_tree(on);
  const std::string prefix = prefix_of(op.pick[1]);
  if (op.kind == OpKind::reset_branch) {
    co_await engine_.reset_branch(ctx, repository_, id, {});
  } else if (op.kind == OpKind::reset_prefix) {
    co_await engine_.reset_prefix(ctx, repository_, id, prefix, {});
  } else {
    co_await engine_.reset_key(ctx, repository_, id, key_of(op.pick[1]), {});
  }
  if (op.kind == OpKind::reset_branch || (op.kind == OpKind::reset_prefix && prefix.empty())) {
    staging.clear();
    co_return;
  }
  for (auto& [key, value] : staging) {
    const bool meant =
        op.kind == OpKind::reset_prefix ? key.starts_with(prefix) : key == key_of(op.pick[1]);
    if (!meant) continue;
    const auto committed = tree.find(key);
    value = committed == tree.end() ? std::nullopt : std::optional(committed->second);
  }
}

Task<> Driver::move(Context& ctx, const Op& op) {
  const std::string on = branch_name(op.pick[0]);
  const BranchId id = BranchId::from_stored(on);
  const Ref target = ref(op.pick[1], op.pick[2]);
  if (op.kind == OpKind::hard_reset) {
    const auto done =
        co_await attempt(engine_.hard_reset(ctx, repository_, id, target.text, WriteOptions{}));
    expect_outcome(done.error, target.error, format("hard reset {} to {}", on, target.text));
    if (!target.error) branch(on).head = target.commit;
    co_return;
  }
  const auto done =
      co_await attempt(engine_.repoint_branch(ctx, repository_, id, target.text, false));
  Outcome wanted = target.error;
  if (!wanted && !is_clean(on)) wanted = ErrorCode::dirty_branch;
  expect_outcome(done.error, wanted, format("re-point {} to {}", on, target.text));
  if (!wanted) branch(on) = {.head = target.commit, .staging = {}};
}

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

Task<std::optional<Failure>> run_ops(Context& ctx, EngineOn& server, std::string repository,
                                     std::vector<Op> ops, Bug bug) {
  const Repository made = co_await server.repository(ctx, std::move(repository));
  Driver driver(server, made, bug);
  Failure failure;
  try {
    co_await driver.start(ctx);
    for (; failure.at < ops.size(); ++failure.at)
      co_await driver.step(ctx, ops[failure.at]);
    co_await driver.check_all(ctx);
    co_return std::nullopt;
  } catch (const Mismatch& mismatch) {
    failure.text = mismatch.what();
  } catch (const Error& error) {
    failure.text = format("unexpected {}: {}", to_string(error.code()), error.message());
  }
  co_return failure;
}

}  // namespace tarn::versioning::model
