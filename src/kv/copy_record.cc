#include "kv/copy_record.h"

#include <charconv>
#include <map>

#include "base/bytes.h"
#include "base/format.h"

namespace tarn::kv {
namespace {

constexpr std::string_view kTitle = "tarn kv copy 1";

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string encode_copy_record(const CopyRecord& record) {
  std::string text = format("{}\nsource {}\nrows {}\nbytes {}\n", kTitle, to_hex(record.source),
                            record.rows, record.bytes);
  if (record.after) {
    append_format(text, "partition {}\nkey {}\n", to_hex(record.after->partition),
                  to_hex(record.after->key));
  }
  return text;
}

std::expected<CopyRecord, ParseError> parse_copy_record(std::string_view stored) {
  const auto broken = [] { return std::unexpected(ParseError{"not a record of a copy"}); };
  std::map<std::string_view, std::string_view> fields;
  bool titled = false;
  while (!stored.empty()) {
    const std::size_t end = stored.find('\n');
    if (end == stored.npos) return broken();
    const std::string_view line = stored.substr(0, end);
    stored.remove_prefix(end + 1);
    if (!titled) {
      if (line != kTitle) return broken();
      titled = true;
      continue;
    }
    const std::size_t space = line.find(' ');
    if (space == line.npos) return broken();
    fields[line.substr(0, space)] = line.substr(space + 1);
  }
  const auto source = from_hex(fields["source"]);
  const auto rows = number_of(fields["rows"]);
  const auto bytes = number_of(fields["bytes"]);
  const auto partition = from_hex(fields["partition"]);
  const auto key = from_hex(fields["key"]);
  if (!titled || !source || !rows || !bytes || !partition || !key) return broken();
  if (partition->empty() != key->empty()) return broken();
  CopyRecord record{.source = *source, .rows = *rows, .bytes = *bytes};
  if (!partition->empty()) record.after = Address{*partition, *key};
  return record;
}

}  // namespace tarn::kv
