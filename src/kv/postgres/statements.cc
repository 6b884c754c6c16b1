#include "kv/postgres/statements.h"

#include <array>

#include "base/bytes.h"
#include "base/error.h"

namespace tarn::kv {

namespace {

#define TARN_UPSERT " ON CONFLICT (partition_key, key) DO UPDATE SET value = EXCLUDED.value"

#define TARN_GUARD(partition, key, value)                                \
  "EXISTS (SELECT 1 FROM \"kv\" AS g WHERE g.partition_key = " partition \
  "::bytea AND g.key = " key "::bytea AND g.value = " value "::bytea)"

// A page ends after `rows` rows or when `bytes` of values are in it, whichever is first: the
// running sum reads lengths only, so what is cut off is neither unpacked nor sent.
#define TARN_PAGE(columns, condition, order)                                                    \
  "SELECT " columns " FROM (SELECT " columns ", sum(octet_length(value)) OVER (ORDER BY " order \
  " ROWS UNBOUNDED PRECEDING) - octet_length(value) AS before FROM \"kv\" " condition           \
  " ORDER BY " order " LIMIT $"

constexpr std::array<PreparedStatement, 20> kStatements = {{
    {Statement::get, "kv_get",
     "SELECT value FROM \"kv\" WHERE partition_key = $1::bytea AND key = $2::bytea"},
    {Statement::get_any, "kv_get_any",
     "SELECT key, value FROM \"kv\" WHERE partition_key = $1::bytea AND key = ANY($2::bytea[])"},
    {Statement::set, "kv_set",
     "INSERT INTO \"kv\" (partition_key, key, value) VALUES ($1::bytea, $2::bytea, "
     "$3::bytea)" TARN_UPSERT},
    {Statement::set_many, "kv_set_many",
     "INSERT INTO \"kv\" (partition_key, key, value) SELECT w.p, w.k, w.v FROM"
     " unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS w(p, k, v)" TARN_UPSERT},
    {Statement::insert, "kv_insert",
     "INSERT INTO \"kv\" (partition_key, key, value) VALUES ($1::bytea, $2::bytea, $3::bytea)"
     " ON CONFLICT DO NOTHING"},
    {Statement::replace, "kv_replace",
     "UPDATE \"kv\" SET value = $3::bytea WHERE partition_key = $1::bytea AND key = $2::bytea"},
    {Statement::replace_if, "kv_replace_if",
     "UPDATE \"kv\" SET value = $3::bytea WHERE partition_key = $1::bytea AND key = $2::bytea"
     " AND value = $4::bytea"},
    {Statement::erase, "kv_erase",
     "DELETE FROM \"kv\" WHERE partition_key = $1::bytea AND key = $2::bytea"},
    {Statement::erase_any, "kv_erase_any",
     "DELETE FROM \"kv\" WHERE partition_key = $1::bytea AND key = ANY($2::bytea[])"},
    {Statement::set_while, "kv_set_while",
     "INSERT INTO \"kv\" (partition_key, key, value) SELECT w.p, w.k, w.v FROM"
     " unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS w(p, k, v) WHERE " TARN_GUARD(
         "$4", "$5", "$6") TARN_UPSERT},
    {Statement::insert_while, "kv_insert_while",
     "INSERT INTO \"kv\" (partition_key, key, value) SELECT $1::bytea, $2::bytea, $3::bytea"
     " WHERE " TARN_GUARD("$4", "$5", "$6") " ON CONFLICT DO NOTHING"},
    {Statement::replace_while, "kv_replace_while",
     "UPDATE \"kv\" SET value = $3::bytea WHERE partition_key = $1::bytea AND key = $2::bytea"
     " AND " TARN_GUARD("$4", "$5", "$6")},
    {Statement::replace_if_while, "kv_replace_if_while",
     "UPDATE \"kv\" SET value = $3::bytea WHERE partition_key = $1::bytea AND key = $2::bytea"
     " AND value = $4::bytea AND " TARN_GUARD("$5", "$6", "$7")},
    // Tells whether the guard held, since nothing erased may mean that nothing was there.
    {Statement::erase_while, "kv_erase_while",
     "WITH held AS (SELECT 1 AS one WHERE " TARN_GUARD(
         "$3", "$4", "$5") "), erased AS (DELETE FROM"
                           " \"kv\" WHERE partition_key = $1::bytea AND key = ANY($2::bytea[])"
                           " AND EXISTS (SELECT 1 FROM held) RETURNING 1) SELECT one FROM held"},
    {Statement::page, "kv_page",
     TARN_PAGE("key, value", "WHERE partition_key = $1::bytea AND key >= $2::bytea",
               "key") "3::int8) AS p WHERE before < $4::int8"},
    {Statement::page_below, "kv_page_below",
     TARN_PAGE("key, value",
               "WHERE partition_key = $1::bytea AND key >= $2::bytea AND key < $5::bytea",
               "key") "3::int8) AS p WHERE before < $4::int8"},
    {Statement::rows, "kv_rows",
     TARN_PAGE("partition_key, key, value", "",
               "partition_key, key") "1::int8) AS p WHERE before < $2::int8"},
    {Statement::rows_after, "kv_rows_after",
     TARN_PAGE("partition_key, key, value", "WHERE (partition_key, key) > ($3::bytea, $4::bytea)",
               "partition_key, key") "1::int8) AS p WHERE before < $2::int8"},
    {Statement::share_lock, "kv_share_lock", "SELECT pg_advisory_xact_lock_shared($1::int8)"},
    {Statement::lock, "kv_lock", "SELECT pg_advisory_xact_lock($1::int8)"},
}};

#undef TARN_GUARD
#undef TARN_UPSERT
#undef TARN_PAGE

constexpr std::uint32_t kByteaOid = 17;

}  // namespace

std::span<const PreparedStatement> prepared_statements(bool locks) {
  return std::span(kStatements).first(kStatements.size() - (locks ? 0 : 2));
}

const PreparedStatement& prepared(Statement statement) {
  const auto& found = kStatements.at(static_cast<std::size_t>(statement));
  TARN_ASSERT(found.statement == statement);
  return found;
}

std::string encode_array(std::span<const std::string_view> elements) {
  std::size_t bytes = 20;
  for (const std::string_view element : elements)
    bytes += 4 + element.size();
  std::string out;
  out.reserve(bytes);
  append_be32(out, elements.empty() ? 0 : 1);  // dimensions
  append_be32(out, 0);                         // no nulls
  append_be32(out, kByteaOid);
  if (elements.empty()) return out;
  append_be32(out, static_cast<std::uint32_t>(elements.size()));
  append_be32(out, 1);  // lower bound
  for (const std::string_view element : elements) {
    append_be32(out, static_cast<std::uint32_t>(element.size()));
    out.append(element);
  }
  return out;
}

std::string encode_int(std::int64_t value) {
  std::string out;
  append_be64(out, static_cast<std::uint64_t>(value));
  return out;
}

}  // namespace tarn::kv
