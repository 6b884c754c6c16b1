#include "app/fsck_report.h"

#include <string_view>

#include "api/json_writer.h"
#include "base/format.h"

namespace tarn::app {

namespace {

using catalog::Names;
using catalog::RepairKind;
using catalog::Severity;

std::string_view name_of(Severity severity) {
  return severity == Severity::damage ? "damage" : "leftover";
}

/// Control characters of a path must not move the operator's cursor.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

void add_names(std::string& out, std::string_view what, const Names& names) {
  if (names.count == 0) return;
  out += format("  {}: ", what);
  for (std::size_t i = 0; i < names.kept.size(); ++i)
    out += (i == 0 ? "" : ", ") + printable(names.kept[i]);
  if (names.count > names.kept.size()) out += format(" ... ({} in all)", names.count);
  out += '\n';
}

std::string_view flag_of(RepairKind kind) {
  switch (kind) {
    case RepairKind::none: return "";
    case RepairKind::safe: return " (--repair)";
    case RepairKind::refs: return " (--repair=refs)";
    case RepairKind::staged: return " (--repair=staged)";
  }
  return "";
}

void write_names(api::JsonWriter& json, std::string_view name, const Names& names) {
  json.key(name);
  json.begin_object();
  json.member("count", names.count);
  json.member("some", names.kept);
  json.end_object();
}

void write_problem(api::JsonWriter& json, const Reported& reported) {
  const catalog::Problem& problem = reported.problem;
  json.begin_object();
  json.member("kind", std::string(to_string(problem.finding)));
  json.member("severity", std::string(name_of(severity_of(problem.finding))));
  json.member("repository", problem.repository);
  json.member("where", problem.where);
  json.member("detail", problem.detail);
  write_names(json, "paths", problem.paths);
  write_names(json, "commits", problem.commits);
  write_names(json, "present_in", problem.heads);
  write_names(json, "in_history_of", problem.history);
  json.member("repair_kind", std::string(to_string(problem.repair_kind)));
  json.member("repair", problem.repair);
  json.member("repaired", reported.repaired);
  json.end_object();
}

void write_checked(api::JsonWriter& json, const catalog::FsckReport& report) {
  json.key("checked");
  json.begin_object();
  json.member("repositories", report.repositories);
  json.member("branches", report.branches);
  json.member("tags", report.tags);
  json.member("commits", report.commits);
  json.member("ranges", report.ranges);
  json.member("entries", report.entries);
  json.member("staged", report.staged);
  json.member("objects", report.objects);
  json.member("uploads", report.uploads);
  json.end_object();
}

}  // namespace

std::string describe(const Reported& reported) {
  const catalog::Problem& problem = reported.problem;
  std::string out =
      format("{}: {}: {}{}{}: {}\n", name_of(severity_of(problem.finding)),
             to_string(problem.finding), problem.repository, problem.repository.empty() ? "" : "/",
             printable(problem.where), printable(problem.detail));
  add_names(out, "paths", problem.paths);
  add_names(out, "present in", problem.heads);
  add_names(out, "in the history of", problem.history);
  add_names(out, "commits", problem.commits);
  if (reported.repaired) {
    out += format("  repaired: {}\n", problem.repair);
  } else if (!problem.repair.empty()) {
    out += format("  repair{}: {}\n", flag_of(problem.repair_kind), problem.repair);
  }
  return out;
}

std::string summarize(const catalog::FsckReport& report, std::uint64_t repaired) {
  std::string out;
  for (const auto& [finding, count] : report.found) {
    if (count > catalog::kProblemsKept) {
      out += format("{}: {} in all, {} shown\n", to_string(finding), count, catalog::kProblemsKept);
    }
  }
  if (!report.partitions_listed) {
    out += "not looked for: leaked staging tokens (this metadata store cannot list them)\n";
  }
  out += format(
      "checked {} repositories, {} branches, {} tags, {} commits, {} ranges, {} entries, {} "
      "staged, {} objects, {} uploads: {}",
      report.repositories, report.branches, report.tags, report.commits, report.ranges,
      report.entries, report.staged, report.objects, report.uploads,
      report.clean() ? "clean" : format("{} problems", report.damage));
  if (report.leftovers > 0) out += format(", {} leftovers", report.leftovers);
  if (repaired > 0) out += format(", {} repaired", repaired);
  return out + '\n';
}

std::string fsck_document(const catalog::FsckReport& report,
                          const std::vector<Reported>& problems) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object();
  json.member("clean", report.clean());
  json.member("damage", report.damage);
  json.member("leftovers", report.leftovers);
  json.member("leaked_tokens_looked_for", report.partitions_listed);
  write_checked(json, report);
  json.key("found");
  json.begin_object();
  for (const auto& [finding, count] : report.found)
    json.member(to_string(finding), count);
  json.end_object();
  json.key("problems");
  json.begin_array();
  for (const Reported& reported : problems)
    write_problem(json, reported);
  json.end_array();
  json.end_object();
  return out + '\n';
}

}  // namespace tarn::app
