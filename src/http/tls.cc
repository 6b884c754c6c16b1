#include "http/tls.h"

#include <string>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/error.h"

namespace tarn::http {

namespace {

namespace ssl = boost::asio::ssl;

constexpr unsigned char kProtocols[] = "\x08http/1.1";

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kProtocols, sizeof(kProtocols) - 1,
                                           offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

[[noreturn]] void throw_unusable(const std::string& what, const std::string& why) {
  ERR_clear_error();
  throw Error(ErrorCode::invalid_argument, "TLS " + what + " is unusable: " + why);
}

}  // namespace

TlsSnapshot load_tls(const TlsConfig& config) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(
      native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(native, &select_protocol, nullptr);
  boost::system::error_code error;
  context->use_certificate_chain_file(config.certificate_file, error);
  if (error) throw_unusable("certificate " + config.certificate_file, error.message());
  context->use_private_key_file(config.key_file, ssl::context::pem, error);
  if (error) throw_unusable("key " + config.key_file, error.message());
  if (SSL_CTX_check_private_key(native) != 1) {
    throw_unusable("key " + config.key_file, "it does not belong to the certificate");
  }
  return context;
}

TlsSnapshot load_client_tls(const ClientTls& config) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_alpn_protos(native, kProtocols, sizeof(kProtocols) - 1);
  boost::system::error_code error;
  if (config.ca_file.empty()) {
    context->set_default_verify_paths(error);
    if (error) throw_unusable("trust store of the system", error.message());
  } else {
    context->load_verify_file(config.ca_file, error);
    if (error) throw_unusable("CA file " + config.ca_file, error.message());
  }
  context->set_verify_mode(config.verify ? ssl::verify_peer : ssl::verify_none, error);
  return context;
}

TlsSnapshot TlsKeeper::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

void TlsKeeper::replace(TlsSnapshot fresh) {
  const std::scoped_lock lock(mutex_);
  current_ = std::move(fresh);
}

}  // namespace tarn::http
