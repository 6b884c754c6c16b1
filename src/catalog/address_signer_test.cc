#include "catalog/address_signer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/xid.h"

namespace tarn::catalog {
namespace {

constexpr std::string_view kAddress = "data/gqv3epl4fd2o8m3men70/ce8co454fd2o8m3menag";
constexpr AddressSubject kSubject{"repo1", "main", "a&b.txt"};

std::string message_of(const AddressSigner& signer, const AddressSubject& subject,
                       std::string_view address, std::int64_t now) {
  try {
    signer.verify(subject, address, {.seconds = now, .nanos = 0});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.message();
  }
  return "accepted";
}

TEST(AddressSigner, ReproducesThePublishedVector) {
  const AddressSigner signer("OVERRIDE_THIS_SIGNING_SECRET_DEFAULT");
  EXPECT_EQ(signer.sign(kSubject, kAddress),
            std::string(kAddress) + ",rkq2LvbeAhqeIKz0f2RQmrFkI6poxcTxp-CguVHDqhE");
}

TEST(AddressSigner, AcceptsItsOwnForADay) {
  const AddressSigner signer("secret");
  const std::string address = signer.sign(kSubject, kAddress);
  const std::int64_t made = 1'670'433'808;  // the time in the name
  EXPECT_EQ(message_of(signer, kSubject, address, made), "accepted");
  EXPECT_EQ(message_of(signer, kSubject, address, made + 24 * 3'600), "accepted");
  EXPECT_EQ(message_of(signer, kSubject, address, made + 24 * 3'600 + 1), "link address expired");
}

TEST(AddressSigner, RefusesAnotherSubjectKeyOrAddress) {
  const AddressSigner signer("secret");
  const std::string address = signer.sign(kSubject, kAddress);
  const std::int64_t now = 1'670'433'808;
  const std::string wrong = "invalid address signature: invalid address";
  EXPECT_EQ(message_of(signer, {"repo2", "main", "a&b.txt"}, address, now), wrong);
  EXPECT_EQ(message_of(signer, {"repo1", "dev", "a&b.txt"}, address, now), wrong);
  EXPECT_EQ(message_of(signer, {"repo1", "main", "other"}, address, now), wrong);
  EXPECT_EQ(message_of(AddressSigner("x"), kSubject, address, now), wrong);
  EXPECT_EQ(message_of(signer, kSubject, std::string(kAddress), now),
            "address is not signed: link address invalid");
  EXPECT_EQ(message_of(signer, kSubject, std::string(kAddress) + ",***", now),
            R"(malformed address signature: {"Repository":"repo1","Branch":"main",)"
            R"("Path":"a\u0026b.txt","PhysicalAddress":"data/)" +
                std::string(kAddress).substr(std::string_view("data/").size()) +
                R"("}: link address invalid)");
}

}  // namespace
}  // namespace tarn::catalog
