#include "http/router.h"

#include <string>

#include <gtest/gtest.h>

namespace tarn::http {
namespace {

class RouterTable : public ::testing::Test {
 protected:
  RouterTable() {
    list_ = router_.add("GET", "/repositories");
    create_ = router_.add("POST", "/repositories");
    get_ = router_.add("GET", "/repositories/{repository}");
    stat_ = router_.add("GET", "/repositories/{repository}/refs/{ref}/objects/stat");
    object_ = router_.add("PUT", "/repositories/{repository}/refs/{ref}/objects/{name}");
    import_ = router_.add("GET", "/repositories/import/refs");
    branches_ = router_.add("GET", "/repositories/{name}/branches");
  }

  /// "route:name=value,..." or "none".
  std::string look_up(std::string_view method, std::string_view path) const {
    const auto match = router_.match(method, path);
    if (!match) return "none";
    std::string text = std::to_string(match->route);
    for (const PathParam& param : match->params)
      text.append(" ").append(param.name).append("=").append(param.value);
    return text;
  }

  Router router_;
  std::size_t list_, create_, get_, stat_, object_, import_, branches_;
};

TEST_F(RouterTable, TellsMethodsApart) {
  EXPECT_EQ(look_up("GET", "/repositories"), std::to_string(list_));
  EXPECT_EQ(look_up("POST", "/repositories"), std::to_string(create_));
  EXPECT_EQ(look_up("DELETE", "/repositories"), "none");
  EXPECT_EQ(look_up("", "/repositories"), "none");
  EXPECT_TRUE(router_.knows_path("/repositories"));
  EXPECT_FALSE(router_.knows_path("/repository"));
}

TEST_F(RouterTable, CapturesParametersUnderTheRoutesOwnNames) {
  EXPECT_EQ(look_up("GET", "/repositories/r1"), std::to_string(get_) + " repository=r1");
  EXPECT_EQ(look_up("GET", "/repositories/r1/branches"), std::to_string(branches_) + " name=r1");
  EXPECT_EQ(router_.match("GET", "/repositories/r1")->param("repository"), "r1");
}

TEST_F(RouterTable, DecodesSegmentsOnceAfterSplitting) {
  EXPECT_EQ(look_up("GET", "/repositories/r/refs/a%2Fb/objects/stat"),
            std::to_string(stat_) + " repository=r ref=a/b");
  EXPECT_EQ(look_up("GET", "/repositories/a%252Fb"), std::to_string(get_) + " repository=a%2Fb");
  EXPECT_EQ(look_up("GET", "/repositories/a+b"), std::to_string(get_) + " repository=a+b");
  EXPECT_EQ(look_up("GET", "/%72epositories"), std::to_string(list_));
}

TEST_F(RouterTable, RefusesBrokenEscapes) {
  EXPECT_EQ(look_up("GET", "/repositories/%zz"), "none");
  EXPECT_EQ(look_up("GET", "/repositories/%2"), "none");
}

TEST_F(RouterTable, PrefersLiteralsButComesBackFromThem) {
  EXPECT_EQ(look_up("GET", "/repositories/import/refs"), std::to_string(import_));
  EXPECT_EQ(look_up("GET", "/repositories/import/branches"),
            std::to_string(branches_) + " name=import");
  EXPECT_EQ(look_up("GET", "/repositories/r/refs/m/objects/stat"),
            std::to_string(stat_) + " repository=r ref=m");
  EXPECT_EQ(look_up("PUT", "/repositories/r/refs/m/objects/stat"),
            std::to_string(object_) + " repository=r ref=m name=stat");
}

TEST_F(RouterTable, TakesSlashesSeriously) {
  EXPECT_EQ(look_up("GET", "/repositories/"), "none");
  EXPECT_EQ(look_up("GET", "/repositories//branches"), "none");
  EXPECT_EQ(look_up("GET", "repositories"), "none");
  EXPECT_EQ(look_up("GET", ""), "none");
  EXPECT_EQ(look_up("GET", "/"), "none");
  std::string deep;
  for (int i = 0; i < 100; ++i)
    deep += "/x";
  EXPECT_EQ(look_up("GET", deep), "none");
}

TEST(Router, MatchesTheRoot) {
  Router router;
  router.add("GET", "/");
  EXPECT_TRUE(router.match("GET", "/"));
  EXPECT_FALSE(router.match("GET", "//"));
}

}  // namespace
}  // namespace tarn::http
