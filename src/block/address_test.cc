#include "block/address.h"

#include <gtest/gtest.h>

namespace tarn::block {
namespace {

ObjectRef relative(std::string space, std::string address) {
  return {std::move(space), std::move(address), AddressType::relative};
}

ObjectRef full(std::string address) {
  return {"", std::move(address), AddressType::full};
}

TEST(KeyOfUriPath, DecodesOnlyCanonicalText) {
  const std::pair<const char*, const char*> cases[] = {
      {"a%20b", "a b"},
      {"a b", "a b"},
      {"a%2Fb", "a%2Fb"},
      {"a%41b", "a%41b"},
      {"a%25b", "a%b"},
      {"%C3%A9", "\xc3\xa9"},
      {"%c3%a9", "%c3%a9"},
      {"a%5Bb", "a[b"},
      {"a?b", "a"},
      {"a#b", "a#b"},
      {"a%23b", "a#b"},
      {"a+b", "a+b"},
      {"a$&+,/:;=@~-_.b", "a$&+,/:;=@~-_.b"},
      {"a!b%20c", "a!b%20c"},
      {"a%3Fb?c", "a?b"},
      {"", ""},
  };
  for (const auto& [text, key] : cases) {
    const auto got = key_of_uri_path(text);
    ASSERT_TRUE(got.has_value()) << text;
    EXPECT_EQ(*got, key) << text;
  }
}

TEST(KeyOfUriPath, RefusesBrokenEscapesAndControls) {
  for (std::string_view text : {"a%zz", "a%", "a%2", "a\nb", "a\x7f", "%%41"}) {
    EXPECT_FALSE(key_of_uri_path(text).has_value()) << text;
  }
  EXPECT_FALSE(key_of_uri_path(std::string_view("a\0b", 3)).has_value());
}

TEST(ParseUri, TakesBucketAndKeyApart) {
  EXPECT_EQ(parse_uri("s3://bucket/a/b"), (Location{"s3", "bucket", "a/b"}));
  EXPECT_EQ(parse_uri("S3://bucket"), (Location{"s3", "bucket", ""}));
  EXPECT_EQ(parse_uri("gs://bucket?x/y"), (Location{"gs", "bucket", ""}));
  EXPECT_EQ(parse_uri("s3://bucket//a"), (Location{"s3", "bucket", "/a"}));
  EXPECT_EQ(parse_uri("https://acc.blob.core.windows.net/c/a%41"),
            (Location{"https", "acc.blob.core.windows.net", "c/aA"}));
}

TEST(ParseUri, RefusesWhatIsNoUri) {
  for (const char* uri : {"", "s3", "s3:/b/k", "s3://", "s3:///k", "ftp://b/k", "://b/k",
                          "s3://b%20/k", "s3://u@b/k", "s3://b c/k", "s3://b\n/k", "s3://b/%zz"}) {
    EXPECT_FALSE(parse_uri(uri).has_value()) << uri;
  }
}

TEST(Resolve, JoinsNamespaceAndAddressVerbatim) {
  EXPECT_EQ(resolve(relative("s3://b/pre%20fix/", "a%20b?c#d")),
            (Location{"s3", "b", "pre fix/a%20b?c#d"}));
  EXPECT_EQ(resolve(relative("s3://b", "k")), (Location{"s3", "b", "k"}));
  EXPECT_EQ(resolve(relative("s3://b/", "k")), (Location{"s3", "b", "k"}));
  EXPECT_EQ(resolve(relative("mem://b/x", "s3://c/k")), (Location{"mem", "b", "x/s3://c/k"}));
}

TEST(Resolve, ReadsAnAddressWithoutTypeByItsScheme) {
  const auto by_prefix = [](std::string address) {
    return resolve({"s3://b/ns", std::move(address), AddressType::by_prefix_deprecated});
  };
  EXPECT_EQ(by_prefix("s3://c/k"), (Location{"s3", "c", "k"}));
  EXPECT_EQ(by_prefix("data/k"), (Location{"s3", "b", "ns/data/k"}));
  EXPECT_EQ(by_prefix("ftp://c/k"), (Location{"s3", "b", "ns/ftp://c/k"}));
  EXPECT_EQ(by_prefix("s3://c/%zz"), (Location{"s3", "b", "ns/s3://c/%zz"}));
}

TEST(Resolve, RefusesFullAddressesWithoutKey) {
  EXPECT_FALSE(resolve(full("s3://b")).has_value());
  EXPECT_FALSE(resolve(full("s3://b/")).has_value());
  EXPECT_FALSE(resolve(full("data/k")).has_value());
}

TEST(CleanPath, IsTheShortestEqualPath) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "."},       {".", "."},        {"/", "/"},       {"a//b/", "a/b"}, {"./a/./b", "a/b"},
      {"a/../b", "b"}, {"a/..", "."},     {"../a", "../a"}, {"/../a", "/a"},  {"a/../../b", "../b"},
      {"//a//", "/a"}, {"/a/b/..", "/a"},
  };
  for (const auto& [path, clean] : cases) {
    EXPECT_EQ(clean_path(path), clean) << path;
  }
}

class Local : public ::testing::Test {
 public:
  LocalRoots roots{"/srv/blocks", {"/mnt/import", "/mnt/other"}};

  std::string path_of(const ObjectRef& ref) const {
    const auto got = resolve_local(roots, ref);
    return got ? std::to_string(got->base) + ":" + got->path : "refused";
  }
};

TEST_F(Local, PutsNamespacesBelowTheRoot) {
  EXPECT_EQ(path_of(relative("local://repo", "data/p/x")), "0:repo/data/p/x");
  EXPECT_EQ(path_of(relative("local://repo/", "x")), "0:repo/x");
  EXPECT_EQ(path_of(relative("local://org/repo//", "x")), "0:org/repo/x");
  EXPECT_EQ(path_of(relative("local:///abs/./ns", "x")), "0:abs/ns/x");
  EXPECT_EQ(path_of(relative("local://", "x")), "0:x");
  EXPECT_EQ(path_of(relative("local://a%20b", "c%2Fd?e")), "0:a%20b/c%2Fd?e");
  EXPECT_EQ(resolve_local(roots, relative("local://org/repo", "data/x"))->space, "org/repo");
}

TEST_F(Local, RefusesEveryWayOut) {
  const std::string long_name(256, 'x');
  for (const auto& ref : {
           relative("local://repo", "../x"),
           relative("local://repo", "a/../../x"),
           relative("local://repo", "a/../x"),
           relative("local://repo", ".."),
           relative("local://repo", "."),
           relative("local://repo", ""),
           relative("local://repo", "/etc/passwd"),
           relative("local://repo", "a//b"),
           relative("local://repo", "a/"),
           relative("local://repo", "a/./b"),
           relative("local://repo", std::string("a\0b", 3)),
           relative("local://repo", std::string("\0", 1)),
           relative("local://repo", long_name),
           relative("local://repo", "a/" + long_name + "/b"),
           relative("local://" + long_name, "a"),
           relative("local://..", "x"),
           relative("local://a/../..", "x"),
           relative("local://a/../b", "x"),
           relative("local://../blocks2", "x"),
           relative("local:///../etc", "x"),
           relative(std::string("local://a\0b", 11), "x"),
           relative("local://.tarn", "x"),
           relative("local:///.tarn/tmp", "x"),
           relative("local://", ".tarn/tmp/x"),
           relative("local://", ".tarn"),
           relative("s3://repo", "x"),
           relative("repo", "x"),
           relative("", "x"),
           relative("local:/repo", "x"),
           relative("LOCAL://repo", "x"),
           relative("local://repo", std::string(32, 'a') + "-00001"),
       }) {
    EXPECT_EQ(path_of(ref), "refused") << ref.storage_namespace << " + " << ref.address;
  }
  std::string deep;
  for (int i = 0; i < 3'000; ++i)
    deep += "a/";
  EXPECT_EQ(path_of(relative("local://repo", deep + "x")), "refused");
}

TEST_F(Local, TakesFullAddressesOnlyBelowItsRoots) {
  EXPECT_EQ(path_of(full("local:///srv/blocks/repo/x")), "0:repo/x");
  EXPECT_EQ(path_of(full("local:///mnt/import/a b")), "1:a b");
  EXPECT_EQ(path_of(full("local:///mnt/other/x")), "2:x");
  EXPECT_EQ(path_of({"local://repo", "local:///mnt/other/x", AddressType::by_prefix_deprecated}),
            "2:x");
  for (const char* address :
       {"local:///etc/passwd", "local:///srv/blocks2/x", "local:///srv/block",
        "local:///srv/blocks", "local:///srv/blocks/", "local:///srv/blocks/../x",
        "local:///srv/blocks//x", "local:///srv/blocks/./x", "local:///srv/blocks/x/",
        "local:///srv/blocks/.tarn/tmp/x", "local:///mnt/import", "local:///mnt/imports/x",
        "local:///mnt/import/../x", "local://repo/x", "local://", "s3://b/k",
        "file:///srv/blocks/x", "data/x", ""}) {
    EXPECT_EQ(path_of(full(address)), "refused") << address;
  }
}

TEST_F(Local, TheRootMayBeTheRootOfTheSystem) {
  roots.root = "/";
  EXPECT_EQ(path_of(relative("local://repo", "x")), "0:repo/x");
  EXPECT_EQ(path_of(full("local:///a/x")), "0:a/x");
}

TEST_F(Local, ListsAbsoluteNamespacesOnlyWhenAllowed) {
  const auto place = [&](std::string_view space, bool allowed) {
    const auto got = resolve_local_namespace(roots, space, allowed);
    return got ? std::to_string(got->base) + ":" + got->path : "refused";
  };
  EXPECT_EQ(place("local:///mnt/import/", true), "1:");
  EXPECT_EQ(place("local:///mnt/import/a/", true), "1:a");
  EXPECT_EQ(place("local:///srv/blocks/repo", true), "0:repo");
  EXPECT_EQ(place("local:///mnt/import/a", false), "0:mnt/import/a");
  EXPECT_EQ(place("local:///elsewhere", true), "0:elsewhere");
  EXPECT_EQ(place("local:///mnt/import/../../etc", true), "refused");
  EXPECT_EQ(place("local:///srv/blocks/.tarn", true), "0:srv/blocks/.tarn");
}

TEST(DisplayLocal, ShowsTheJoinedPath) {
  EXPECT_EQ(display_local("/srv/blocks", relative("local://repo/", "data/x")),
            "local:///srv/blocks/repo/data/x");
  EXPECT_EQ(display_local("/srv/blocks", full("local:///srv/x/one.txt")),
            "local:///srv/blocks/srv/x/one.txt");
  EXPECT_EQ(display_local("/srv/blocks", full("s3://b/k")), "s3://b/k");
  EXPECT_EQ(display_local("/srv", relative("local://repo", "a//./b/../c/")),
            "local:///srv/repo/a/c");
  EXPECT_EQ(display_local("/srv", relative("local://repo", "a/.b/c..")),
            "local:///srv/repo/a/.b/c..");
  EXPECT_EQ(display_local("/srv", relative("repo", "../../x")), "local:///x");
}

TEST(IsPartName, KnowsTheReferencesPartFiles) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  EXPECT_TRUE(is_part_name(id + "-00001"));
  for (const auto& name : {id, id + "-1", id + "-0000x", id + "_00001", id + "-000001",
                           "A" + id.substr(1) + "-00001", "data/" + id + "-00001"}) {
    EXPECT_FALSE(is_part_name(name)) << name;
  }
}

}  // namespace
}  // namespace tarn::block
