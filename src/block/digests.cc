#include "block/digests.h"

#include <utility>

#include "base/bytes.h"

namespace tarn::block {

namespace {

std::string be32(std::uint32_t value) {
  std::string out;
  append_be32(out, value);
  return out;
}

std::string be64(std::uint64_t value) {
  std::string out;
  append_be64(out, value);
  return out;
}

}  // namespace

Digests::Digests(Wanted wanted) : md5_(Hasher::Kind::md5), wanted_(wanted) {
  if (wanted.sha256) sha256_.emplace(Hasher::Kind::sha256);
  if (wanted.sha1) sha1_.emplace(Hasher::Kind::sha1);
}

void Digests::update(std::string_view bytes) {
  size_ += bytes.size();
  md5_.update(bytes);
  if (sha256_) sha256_->update(bytes);
  if (sha1_) sha1_->update(bytes);
  if (wanted_.crc32) crc32_ = tarn::crc32(crc32_, bytes);
  if (wanted_.crc32c) crc32c_ = tarn::crc32c(crc32c_, bytes);
  if (wanted_.crc64_nvme) crc64_ = tarn::crc64_nvme(crc64_, bytes);
}

const std::string& Digests::finish_md5() {
  if (md5_value_.empty()) md5_value_ = md5_.finish();
  return md5_value_;
}

const Digests::Values& Digests::values() {
  if (values_) return *values_;
  Values values;
  values.size = size_;
  values.md5 = finish_md5();
  if (sha256_) values.sha256 = sha256_->finish();
  if (sha1_) values.sha1 = sha1_->finish();
  if (wanted_.crc32) values.crc32 = be32(crc32_);
  if (wanted_.crc32c) values.crc32c = be32(crc32c_);
  if (wanted_.crc64_nvme) values.crc64_nvme = be64(crc64_);
  return values_.emplace(std::move(values));
}

}  // namespace tarn::block
