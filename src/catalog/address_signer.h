// Signed physical addresses for bytes a client writes itself (storage-format.md 5.4). The
// signature is part of the object's key; nothing is stored for it.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace tarn::catalog {

struct AddressSubject {
  std::string_view repository;
  std::string_view branch;
  std::string_view path;
};

class AddressSigner {
 public:
  explicit AddressSigner(std::string secret) : secret_(std::move(secret)) {}

  /// `address` + "," + signature.
  std::string sign(const AddressSubject& subject, std::string_view address) const;

  /// Throws Error{invalid_argument} with the reference's texts: not signed, malformed, wrong, or
  /// older than 24 hours by the time inside its name.
  void verify(const AddressSubject& subject, std::string_view signed_address, Timestamp now) const;

 private:
  std::string signature(const AddressSubject& subject, std::string_view address) const;
  std::string secret_;
};

}  // namespace tarn::catalog
