#include "rest/sample_data.h"

#include <string>

#include "base/format.h"
#include "io/byte_source.h"

namespace tarn::rest {

namespace {

struct SampleFile {
  std::string_view path;
  std::string_view content_type;
  std::string_view text;
};

constexpr SampleFile kFiles[] = {
    {"README.md", "text/markdown",
     "# Welcome to {repository}\n\nThis repository was created with sample data on branch "
     "`{branch}`.\n\nCreate a branch, change something, look at the difference, merge it, or throw "
     "it away:\n\n    lakectl branch create lakefs://{repository}/try --source "
     "lakefs://{repository}/{branch}\n"},
    {"data/lakes.csv", "text/csv",
     "name,country,area_km2,depth_m\nBaikal,Russia,31722,1642\nTanganyika,Tanzania,32600,1470\n"
     "Geneva,Switzerland,580,310\nTitisee,Germany,1.3,39\nInari,Finland,1040,92\n"},
    {"images/tarn.svg", "image/svg+xml",
     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 60 40\"><path d=\"M5 30 20 8 30 22 "
     "40 5 55 30z\" fill=\"#789\"/><ellipse cx=\"30\" cy=\"32\" rx=\"24\" ry=\"5\" "
     "fill=\"#4ad\"/></svg>\n"},
};

std::string filled_in(std::string_view text, const versioning::Repository& repository) {
  std::string out(text);
  const auto replace = [&](std::string_view mark, const std::string& with) {
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + with.size())) {
      out.replace(at, mark.size(), with);
    }
  };
  replace("{repository}", repository.id.str());
  replace("{branch}", repository.default_branch.str());
  return out;
}

}  // namespace

Task<> add_sample_data(Context& ctx, const Services& services,
                       const versioning::Repository& repository, std::string_view committer) {
  for (const SampleFile& file : kFiles) {
    io::StringSource body(filled_in(file.text, repository));
    catalog::UploadParams params{.content_type = std::string(file.content_type), .force = true};
    co_await services.catalog.upload(ctx, repository, repository.default_branch, file.path, body,
                                     std::move(params));
  }
  versioning::CommitParams commit{
      .committer = std::string(committer), .message = "Add sample data", .force = true};
  co_await services.engine.commit(ctx, repository, repository.default_branch, std::move(commit));
  versioning::ProtectionRules rules;
  rules.rules[repository.default_branch.str()] = {versioning::BlockedAction::staging_write,
                                                  versioning::BlockedAction::commit};
  co_await services.engine.set_protection_rules(ctx, repository, std::move(rules), std::nullopt);
}

}  // namespace tarn::rest
