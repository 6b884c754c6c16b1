#include "aws/credentials/documents.h"

#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <pugixml.hpp>

namespace tarn::aws {

namespace {

namespace json = boost::json;

std::unexpected<ParseError> bad(std::string_view why) {
  return std::unexpected(ParseError{std::string(why)});
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

bool is_printable(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c >= '\x7f') return false;
  }
  return true;
}

/// They are put into headers, so nothing but printable characters may pass.
std::expected<Issued, ParseError> make_issued(Credentials credentials,
                                              const std::string& expiration) {
  Issued issued{.credentials = std::move(credentials), .expires = std::nullopt};
  const Credentials& made = issued.credentials;
  if (made.access_key.empty() || made.secret_key.empty()) return bad("a key is missing");
  if (!is_printable(made.access_key) || !is_printable(made.session_token)) {
    return bad("a key has characters no key has");
  }
  if (!expiration.empty()) {
    const auto time = parse_rfc3339(expiration);
    if (!time) return bad("the expiration is no time");
    issued.expires = *time;
  }
  return issued;
}

bool load(pugi::xml_document& document, std::string_view xml) {
  return xml.size() <= kDocumentBytesMax &&
         document.load_buffer(xml.data(), xml.size(), pugi::parse_escapes | pugi::parse_cdata,
                              pugi::encoding_utf8);
}

}  // namespace

std::expected<Issued, ParseError> parse_metadata_document(std::string_view text) {
  if (text.size() > kDocumentBytesMax) return bad("the document is too large");
  boost::system::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return bad("the document is no JSON object");
  const json::object& object = value.get_object();
  const std::string code = text_of(object, "Code");
  if (!code.empty() && code != "Success") return bad("the service reports a failure");
  return make_issued({.access_key = text_of(object, "AccessKeyId"),
                      .secret_key = text_of(object, "SecretAccessKey"),
                      .session_token = text_of(object, "Token")},
                     text_of(object, "Expiration"));
}

std::expected<Issued, ParseError> parse_assumed_role(std::string_view xml) {
  pugi::xml_document document;
  if (!load(document, xml)) return bad("the document is no XML");
  const pugi::xml_node credentials = document.child("AssumeRoleWithWebIdentityResponse")
                                         .child("AssumeRoleWithWebIdentityResult")
                                         .child("Credentials");
  if (!credentials) return bad("the document has no credentials");
  return make_issued({.access_key = credentials.child_value("AccessKeyId"),
                      .secret_key = credentials.child_value("SecretAccessKey"),
                      .session_token = credentials.child_value("SessionToken")},
                     credentials.child_value("Expiration"));
}

std::string find_token_service_error(std::string_view xml) {
  pugi::xml_document document;
  if (!load(document, xml)) return {};
  return document.child("ErrorResponse").child("Error").child_value("Code");
}

}  // namespace tarn::aws
