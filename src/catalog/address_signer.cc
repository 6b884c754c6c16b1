#include "catalog/address_signer.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/xid.h"

namespace tarn::catalog {

namespace {

constexpr std::int64_t kValidSeconds = 24 * 3'600;

/// A JSON string as Go's encoder writes it, HTML characters escaped: the signature covers it.
void append_go_json(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '<':
      case '>':
      case '&': append_format(out, "\\u{:04x}", static_cast<unsigned>(c)); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          append_format(out, "\\u{:04x}", static_cast<unsigned>(c));
        } else if (text.substr(i, 3) == "\xe2\x80\xa8" || text.substr(i, 3) == "\xe2\x80\xa9") {
          out += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
          i += 2;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorCode::invalid_argument, std::move(message));
}

/// What is signed.
std::string message_of(const AddressSubject& subject, std::string_view address) {
  std::string message = R"({"Repository":)";
  append_go_json(message, subject.repository);
  message += R"(,"Branch":)";
  append_go_json(message, subject.branch);
  message += R"(,"Path":)";
  append_go_json(message, subject.path);
  message += R"(,"PhysicalAddress":)";
  append_go_json(message, address);
  message += '}';
  return message;
}

}  // namespace

std::string AddressSigner::signature(const AddressSubject& subject,
                                     std::string_view address) const {
  return hmac_sha256(secret_, message_of(subject, address));
}

std::string AddressSigner::sign(const AddressSubject& subject, std::string_view address) const {
  return std::string(address) + ',' + to_base64url(signature(subject, address));
}

void AddressSigner::verify(const AddressSubject& subject, std::string_view signed_address,
                           Timestamp now) const {
  const auto comma = signed_address.rfind(',');
  if (comma == std::string_view::npos) refuse("address is not signed: link address invalid");
  const std::string_view address = signed_address.substr(0, comma);
  const auto given = from_base64url(signed_address.substr(comma + 1));
  if (!given) {
    refuse(format("malformed address signature: {}: link address invalid",
                  message_of(subject, address)));
  }
  if (!equal_constant_time(*given, signature(subject, address))) {
    refuse("invalid address signature: invalid address");
  }
  const auto made = xid_seconds(address.substr(address.rfind('/') + 1));
  if (!made) refuse("xid: invalid ID");
  if (now.seconds - *made > kValidSeconds) refuse("link address expired");
}

}  // namespace tarn::catalog
