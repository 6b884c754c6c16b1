// Entries from a database or a range file, and signed addresses from clients.
#include "base/error.h"
#include "catalog/address_signer.h"
#include "catalog/entry.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

void check_entry(std::string_view input) {
  catalog::Entry entry;
  try {
    entry = catalog::decode_entry(input);
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
    return;
  }
  static_cast<void>(to_rfc3339(entry.last_modified));  // what every edge does with it
  static_cast<void>(to_http_date(entry.last_modified));
  const auto value = catalog::encode_entry(entry);
  TARN_ASSERT(value.identity.size() == 32);
  TARN_ASSERT(catalog::decode_entry(value.data) == entry);
  TARN_ASSERT(catalog::encode_entry(catalog::decode_entry(value.data)) == value);
}

void check_address(std::string_view input) {
  const catalog::AddressSigner signer("secret");
  const catalog::AddressSubject subject{.repository = "r", .branch = "b", .path = "p"};
  const auto refused = [&](std::string_view address) {
    try {
      signer.verify(subject, address, {.seconds = 1'767'225'600});
      return false;
    } catch (const Error& error) {
      TARN_ASSERT(error.code() == ErrorCode::invalid_argument);
      return true;
    }
  };
  TARN_ASSERT(refused(input));
  static_cast<void>(refused(signer.sign(subject, input)));  // only the time is in question
}

}  // namespace

void run(std::string_view input) {
  check_entry(input);
  check_address(input);
}

}  // namespace tarn::fuzz
