#include "sst/table_id.h"

#include <array>
#include <charconv>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/error.h"
#include "sst/ident.h"

namespace tarn::sst {

namespace {

constexpr std::size_t kPendingBytes = 16 * 1024;

void require(bool ok) {
  if (!ok) throw Error(ErrorCode::internal, "openssl: sha256");
}

const EVP_MD* sha256() {
  static const EVP_MD* const kDigest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(kDigest != nullptr);
  return kDigest;
}

}  // namespace

// Apart from base's Hasher because its state can be copied.
struct TableIdHasher::Digest {
  Digest() : context(EVP_MD_CTX_new()) {
    require(context != nullptr && EVP_DigestInit_ex2(context, sha256(), nullptr) == 1);
  }

  Digest(const Digest& other) : context(EVP_MD_CTX_new()) {
    require(context != nullptr && EVP_MD_CTX_copy_ex(context, other.context) == 1);
  }

  ~Digest() { EVP_MD_CTX_free(context); }

  Digest& operator=(const Digest&) = delete;

  void update(std::string_view bytes) {
    require(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
  }

  EVP_MD_CTX* context;
};

TableIdHasher::TableIdHasher() : digest_(std::make_unique<Digest>()) {}

TableIdHasher::~TableIdHasher() = default;

TableIdHasher::TableIdHasher(const TableIdHasher& other)
    : digest_(std::make_unique<Digest>(*other.digest_)), pending_(other.pending_) {}

TableIdHasher& TableIdHasher::operator=(const TableIdHasher& other) {
  if (this != &other) {
    digest_ = std::make_unique<Digest>(*other.digest_);
    pending_ = other.pending_;
  }
  return *this;
}

void TableIdHasher::add(std::string_view key, std::string_view value) {
  append_counted(key);
  append_counted(value);
}

std::string TableIdHasher::finish(const Properties& properties) {
  flush();
  digest_->update(IdentEncoder().add_string_map(properties).bytes());
  std::array<unsigned char, 32> out;
  require(EVP_DigestFinal_ex(digest_->context, out.data(), nullptr) == 1);
  return to_hex({reinterpret_cast<const char*>(out.data()), out.size()});
}

void TableIdHasher::append_counted(std::string_view bytes) {
  constexpr std::size_t kFrameBytesMax = 21;  // decimal length and separator
  if (pending_.capacity() < kPendingBytes) pending_.reserve(kPendingBytes);
  if (pending_.size() + kFrameBytesMax + bytes.size() > kPendingBytes) flush();
  char length[20];
  pending_.append(length, std::to_chars(length, length + sizeof length, bytes.size()).ptr);
  if (bytes.size() + kFrameBytesMax > kPendingBytes) {
    flush();
    digest_->update(bytes);
  } else {
    pending_.append(bytes);
  }
  pending_.push_back('|');
}

void TableIdHasher::flush() {
  digest_->update(pending_);
  pending_.clear();
}

}  // namespace tarn::sst
