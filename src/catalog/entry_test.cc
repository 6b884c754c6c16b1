#include "catalog/entry.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "catalog.pb.h"

namespace tarn::catalog {
namespace {

Entry small_entry() {
  return {.address = "data/gqv3epl4fd2o8m3men70/ce8co454fd2o8m3menag",
          .address_type = block::AddressType::relative,
          .last_modified = {.seconds = 1'700'000'000, .nanos = 0},
          .size = 4,
          .etag = "eb4585ad9fe0426781ed7c49252f8225",
          .content_type = "application/octet-stream"};
}

std::string identity(std::uint64_t size, std::string etag, versioning::Metadata metadata,
                     std::string content_type) {
  return to_hex(encode_entry({.size = size,
                              .etag = std::move(etag),
                              .metadata = std::move(metadata),
                              .content_type = std::move(content_type)})
                    .identity);
}

TEST(Entry, HasTheIdentityOfThePublishedVectors) {
  EXPECT_EQ(identity(11, "664c688b4ea9c56730daacfc3d70aeed", {}, ""),
            "56fef3921aa6e7fd62bbe23b2f69db3f9049a54b6f2c7bd886b7eb1a6ca3ab3e");
  EXPECT_EQ(identity(4, "eb4585ad9fe0426781ed7c49252f8225", {}, ""),
            "6039b184d29379328b5364bb041b9926b4b388dbc326b7dd57f70cefd77b961e");
  EXPECT_EQ(identity(4, "eb4585ad9fe0426781ed7c49252f8225", {}, "application/octet-stream"),
            "00fd43dd40498655fd033ec92b7d7741d7531938a08bdaa27b23f40902103f24");
  EXPECT_EQ(identity(99, "123456789", {{"key1", "value1"}, {"key9", "value9"}}, "text/plain"),
            "0ceaaa05d67ce9fd4e6ac0cc5248e7a72e99dfbea7fad11b93f97cc62b2ffaa4");
}

TEST(Entry, IsEncodedAsInThePublishedVector) {
  EXPECT_EQ(to_hex(encode_entry(small_entry()).data),
            "0a2e646174612f6771763365706c346664326f386d336d656e37302f636538636f3435346664326f386d"
            "336d656e616712060880e2cfaa06180422206562343538356164396665303432363738316564376334393"
            "23532663832323530013a186170706c69636174696f6e2f6f637465742d73747265616d");
}

TEST(Entry, ComesBackAsItWas) {
  Entry entry = small_entry();
  entry.metadata = {{"b", "2"}, {"a", "1"}, {"", ""}};
  entry.address_type = block::AddressType::full;
  entry.last_modified.nanos = 999'999'999;
  EXPECT_EQ(decode_entry(encode_entry(entry).data), entry);
}

TEST(Entry, AddressAndTimeAreNoPartOfItsIdentity) {
  Entry other = small_entry();
  other.address = "elsewhere";
  other.last_modified.seconds = 1;
  EXPECT_EQ(encode_entry(other).identity, encode_entry(small_entry()).identity);
}

TEST(Entry, RefusesTextTheReferenceCouldNotReadBack) {
  Entry entry = small_entry();
  entry.metadata = {{"name", "\xff"}};
  EXPECT_THROW(encode_entry(entry), Error);
}

TEST(Entry, ReportsBytesThatAreNone) {
  EXPECT_THROW(decode_entry("\xff\xff\xff"), Error);
}

TEST(Entry, IsReadAsProtobufReadsIt) {
  Entry entry = small_entry();
  entry.metadata = {{"a", "1"}, {"b", ""}, {"", "c"}};
  const std::string stored = encode_entry(entry).data;
  for (std::size_t at = 0; at < stored.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x02U, 0x08U, 0x20U, 0x80U}) {
      std::string bytes = stored;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
      ::catalog::Entry message;
      const bool parses = message.ParseFromString(bytes) && message.size() >= 0;
      std::optional<Entry> read;
      try {
        read = decode_entry(bytes);
      } catch (const Error&) {
      }
      if (parses && !read) {  // groups are the one thing that protobuf still takes
        const auto type = static_cast<unsigned char>(bytes[at]) & 7U;
        EXPECT_TRUE(type == 3 || type == 4) << at << " ^ " << flip;
        continue;
      }
      ASSERT_EQ(read.has_value(), parses) << at << " ^ " << flip;
      if (!read) continue;
      EXPECT_EQ(read->address, message.address());
      EXPECT_EQ(read->etag, message.e_tag());
      EXPECT_EQ(read->content_type, message.content_type());
      EXPECT_EQ(static_cast<std::int64_t>(read->size), message.size());
      EXPECT_EQ(read->last_modified.seconds, message.last_modified().seconds());
      EXPECT_EQ(read->last_modified.nanos, message.last_modified().nanos());
      EXPECT_EQ(static_cast<int>(read->address_type), message.address_type() & 0xff);
      ASSERT_EQ(read->metadata.size(), static_cast<std::size_t>(message.metadata().size()));
      for (const auto& [name, value] : read->metadata)
        EXPECT_EQ(value, message.metadata().at(name));
    }
  }
}

TEST(Entry, TheLastOfSeveralValuesCounts) {
  Entry first = small_entry();
  first.metadata = {{"a", "1"}, {"b", "2"}};
  Entry second = small_entry();
  second.etag = "other";
  second.metadata = {{"a", "3"}};
  const Entry joined = decode_entry(encode_entry(first).data + encode_entry(second).data);
  EXPECT_EQ(joined.etag, "other");
  EXPECT_EQ(joined.metadata, (versioning::Metadata{{"a", "3"}, {"b", "2"}}));
}

}  // namespace
}  // namespace tarn::catalog
