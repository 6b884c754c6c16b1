#include "versioning/model_driver_test_support.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "versioning/model_outcome_test_support.h"

namespace tarn::versioning::model {

namespace {

constexpr std::uint32_t kVariants = 3;

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
