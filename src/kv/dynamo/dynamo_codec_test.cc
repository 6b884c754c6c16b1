#include "kv/dynamo/dynamo_codec.h"

#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace tarn::kv::dynamo {
namespace {

namespace json = boost::json;

TEST(DynamoCodec, RequestsSayWhatTheReferencesSay) {
  const Address address{"p", "k"};
  EXPECT_EQ(get_item("t", address),
            R"({"TableName":"t","ConsistentRead":true,)"
            R"("Key":{"PartitionKey":{"B":"cA=="},"ItemKey":{"B":"aw=="}}})");
  EXPECT_EQ(put_item("t", address, "", nullptr),
            R"({"TableName":"t","Item":{"PartitionKey":{"B":"cA=="},"ItemKey":{"B":"aw=="},)"
            R"("ItemValue":{"B":""}}})");
  const Expect value = Expect::value("v");
  EXPECT_NE(put_item("t", address, "w", &value)
                .find(R"("ConditionExpression":"#v = :v",)"
                      R"("ExpressionAttributeNames":{"#v":"ItemValue"},)"
                      R"("ExpressionAttributeValues":{":v":{"B":"dg=="}})"),
            std::string::npos);
  EXPECT_NE(create_table("t").find(R"("BillingMode":"PAY_PER_REQUEST")"), std::string::npos);
}

TEST(DynamoCodec, EveryRequestIsJson) {
  const Address address{std::string("\0\xff\"", 3), "\\"};
  const Expect absent = Expect::absent();
  const Expect present = Expect::present();
  const Expect value = Expect::value("\"");
  for (const std::string& body :
       {get_item("t", address), put_item("t", address, "\"", nullptr),
        put_item("t", address, "", &absent), put_item("t", address, "", &present),
        put_item("t", address, "", &value), delete_item("t", address),
        batch_get("t", {address, address}), query("t", "p", {}, 1, {}),
        query("t", "p", {"a", ""}, 1, {}), query("t", "p", {"", "b"}, 1, {}),
        query("t", "p", {"a", "b"}, 9, address), scan("t", 1, {}), scan("t", 1, address),
        describe_table("t"), create_table("t")}) {
    json::error_code error;
    json::parse(body, error);
    EXPECT_FALSE(error) << body;
  }
}

TEST(DynamoCodec, TableNamesAreChecked) {
  EXPECT_TRUE(is_table_name("kvstore"));
  EXPECT_TRUE(is_table_name("a-b_c.9"));
  for (const std::string& bad : {std::string(), std::string("ab"), std::string("a\"b"),
                                 std::string("a b"), std::string(256, 'a')}) {
    EXPECT_FALSE(is_table_name(bad)) << bad;
  }
}

TEST(DynamoCodec, AnswersAreRead) {
  EXPECT_EQ(item_value(json::parse("{}")), std::nullopt);
  EXPECT_EQ(item_value(json::parse(R"({"Item":{}})")), std::nullopt);
  EXPECT_EQ(item_value(json::parse(R"({"Item":{"ItemValue":{"B":""}}})")), "");
  const ItemPage page = items(json::parse(
      R"({"Items":[{"PartitionKey":{"B":"cA=="},"ItemKey":{"B":"aw=="},"ItemValue":{"B":"dg=="}}],)"
      R"("LastEvaluatedKey":{"PartitionKey":{"B":"cA=="},"ItemKey":{"B":"aw=="}}})"));
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].address.key, "k");
  EXPECT_EQ(page.rows[0].value, "v");
  ASSERT_TRUE(page.next.has_value());
  EXPECT_EQ(page.next->partition, "p");
  const BatchAnswer batch =
      batch_items(json::parse(R"({"Responses":{"t":[]},"UnprocessedKeys":{"t":{"Keys":[)"
                              R"({"PartitionKey":{"B":"cA=="},"ItemKey":{"B":"aw=="}}]}}})"),
                  "t");
  EXPECT_EQ(batch.unprocessed.size(), 1u);
}

TEST(DynamoCodec, AnswersOfAnotherShapeAreCorrupt) {
  const auto is_corrupt = [](auto read) {
    try {
      read();
    } catch (const Error& error) {
      return error.code() == ErrorCode::corrupt;
    }
    return false;
  };
  for (const char* text :
       {"[]", "1", "null", R"({"Item":1})", R"({"Item":{"ItemValue":{"S":"x"}}})",
        R"({"Item":{"ItemValue":{"B":"!"}}})", R"({"Item":{"ItemKey":{"B":"aw=="}}})"}) {
    EXPECT_TRUE(is_corrupt([&] { item_value(json::parse(text)); })) << text;
  }
  for (const char* text : {"{}", R"({"Items":{}})", R"({"Items":[1]})", R"({"Items":[{}]})",
                           R"({"Items":[],"LastEvaluatedKey":1})"}) {
    EXPECT_TRUE(is_corrupt([&] { items(json::parse(text)); })) << text;
  }
  for (const char* text :
       {R"({"Responses":1})", R"({"Responses":{"t":1}})", R"({"UnprocessedKeys":{"t":{}}})"}) {
    EXPECT_TRUE(is_corrupt([&] { batch_items(json::parse(text), "t"); })) << text;
  }
  EXPECT_TRUE(is_corrupt([&] { table_status(json::parse("{}")); }));
}

TEST(DynamoCodec, FailuresOfAnyShapeAreRead) {
  EXPECT_EQ(parse_failure(R"({"__type":"a.b#Some","message":"m"})").type, "Some");
  EXPECT_EQ(parse_failure(R"({"__type":"Bare","Message":"m"})").message, "m");
  for (const char* body : {"", "<html>", "[]", R"({"__type":1})"})
    EXPECT_EQ(parse_failure(body).type, "") << body;
}

}  // namespace
}  // namespace tarn::kv::dynamo
