// Range files that may hold anything. Checksums are made good first, where the file's structure
// says they are: otherwise hardly an input would get past them.
#include "base/error.h"
#include "sst/table_testing.h"
#include "sst/value.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

using namespace sst;
using sst::testing::Records;

void mend_block(std::string& file, BlockHandle handle) {
  const std::string_view payload = std::string_view(file).substr(handle.offset, handle.size);
  const auto type = static_cast<BlockType>(file[handle.offset + handle.size]);
  file.replace(handle.offset + handle.size, kBlockTrailerBytes, block_trailer(payload, type));
}

/// Blocks named by the entries of an index (or the metaindex), as far as it can be read.
std::vector<BlockHandle> handles_in(std::string_view file, BlockHandle index, KeyForm form) {
  std::vector<BlockHandle> handles;
  try {
    std::string scratch;
    BlockIterator at(decode_block(file.substr(index.offset, index.stored_bytes()), scratch), form);
    while (at.next())
      handles.push_back(parse_handle(at.value(), file.size() - kFooterBytes));
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
  }
  return handles;
}

void mend(std::string& file) {
  const Footer footer = parse_footer(file, file.size());
  mend_block(file, footer.metaindex);
  mend_block(file, footer.index);
  for (const BlockHandle properties : handles_in(file, footer.metaindex, KeyForm::raw))
    mend_block(file, properties);
  for (const BlockHandle block : handles_in(file, footer.index, KeyForm::internal)) {
    mend_block(file, block);
    // Of a two-level index these were its parts; of a plain one there is nothing to find in them.
    for (const BlockHandle inner : handles_in(file, block, KeyForm::internal))
      mend_block(file, inner);
  }
}

void check_values(const Records& records) {
  for (const auto& [key, value] : records) {
    try {
      static_cast<void>(decode_range_data(decode_value(value).data));
    } catch (const Error& error) {
      TARN_ASSERT(error.code() == ErrorCode::corrupt);
    }
  }
}

/// A file that reads well says the same when written anew, under the same name.
void check_file(std::string_view file) {
  const TableView view(file);
  const std::string id = compute_table_id(view);
  const Records records = sst::testing::read_table(file);
  const TableResult written =
      sst::testing::write_table(records, {.properties = hashed_properties(view.all_properties())});
  TARN_ASSERT(written.id == id);
  TARN_ASSERT(sst::testing::read_table(written.bytes) == records);
  TableView::Iterator at(view);
  for (const auto& [key, value] : records) {
    TARN_ASSERT(at.seek_ge(key) && at.key() == key && at.value() == value);
    TARN_ASSERT(view.find(key) == value);
  }
  TARN_ASSERT(!at.next());
  check_values(records);
}

void check_hostile(std::string file) {
  try {
    check_file(file);
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
  }
  try {
    mend(file);
    check_file(file);
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
  }
}

/// Lines "key=value" as records.
void check_writing(std::string_view input) {
  std::map<std::string, std::string> sorted;
  while (!input.empty()) {
    std::string_view value = take_until(input, '\n');
    const std::string key(take_until(value, '='));
    sorted[key] = value;
  }
  const TableResult written = sst::testing::write_table({sorted.begin(), sorted.end()});
  TARN_ASSERT(compute_table_id(TableView(written.bytes)) == written.id);
  TARN_ASSERT(sst::testing::read_table(written.bytes) == Records(sorted.begin(), sorted.end()));
}

}  // namespace

void run(std::string_view input) {
  if (take_byte(input) == 'w') {
    check_writing(input);
  } else {
    check_hostile(std::string(input));
  }
}

}  // namespace tarn::fuzz
