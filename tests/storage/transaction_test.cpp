#include "storage/transaction.h"

#include "storage/sqlite/connection.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

class TransactionTest : public EveryEngine {
protected:
    TransactionTest() {
        database.must([](Transaction& t) -> Result<void> {
            TRY(
                t.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, bytes BLOB) "
                          "STRICT"));
            return {};
        });
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, TransactionTest, every_engine(), name_of);

TEST_P(TransactionTest, numbers_parameters_by_their_digits_not_by_their_order) {
    database.must([](Transaction& t) -> Result<void> {
        TRY(t.execute("INSERT INTO things (name, id, bytes) VALUES ($2, $1, $3)",
                      {7, "seven", Blob{"x"}}));
        int rows = 0;
        TRY(t.query("SELECT $2, $1, $2 FROM things WHERE id = $3", {1, "two", 7},
                    [&](const Row& row) {
                        ++rows;
                        EXPECT_EQ(row.text(0), "two");
                        EXPECT_EQ(row.int64(1), 1);
                        EXPECT_EQ(row.text(2), "two");
                    }));
        EXPECT_EQ(rows, 1);
        return {};
    });
}

TEST_P(TransactionTest, keeps_every_kind_of_value_apart) {
    const std::string bytes("\0\xff\n'", 4);
    database.must([&](Transaction& t) -> Result<void> {
        TRY(t.execute("INSERT INTO things VALUES ($1, $2, $3)", {1, "", Blob{bytes}}));
        TRY(t.execute("INSERT INTO things VALUES ($1, $2, $3)",
                      {2, std::nullopt, std::optional<std::string>()}));
        TRY(t.query("SELECT name, bytes FROM things WHERE id = 1", {}, [&](const Row& row) {
            EXPECT_EQ(row.optional_text(0), "");
            EXPECT_EQ(row.optional_blob(1), bytes);
        }));
        TRY(t.query("SELECT name, bytes FROM things WHERE id = 2", {}, [&](const Row& row) {
            EXPECT_TRUE(row.is_null(0));
            EXPECT_EQ(row.optional_text(0), std::nullopt);
            EXPECT_EQ(row.optional_blob(1), std::nullopt);
            EXPECT_EQ(row.optional_int64(0), std::nullopt);
            EXPECT_EQ(row.optional_time(0), std::nullopt);
        }));
        return {};
    });
}

TEST_P(TransactionTest, yields_how_many_rows_changed) {
    database.must([](Transaction& t) -> Result<void> {
        EXPECT_EQ(t.execute("INSERT INTO things (id) VALUES (1), (2), (3)"), 3);
        EXPECT_EQ(t.execute("UPDATE things SET name = 'x' WHERE id > $1", {1}), 2);
        EXPECT_EQ(t.execute("DELETE FROM things WHERE id = 99"), 0);
        EXPECT_EQ(t.execute("SELECT * FROM things"), 0);
        return {};
    });
}

TEST_P(TransactionTest, fails_the_query_when_a_column_has_another_type_than_asked) {
    const auto result = database.read([](Transaction& t) -> Result<std::int64_t> {
        return TRY(t.first("SELECT 'text'", {}, [](const Row& row) { return row.int64(0); }))
            .value();
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::corrupt);
    const auto null = database.read([](Transaction& t) -> Result<std::string> {
        return TRY(t.first("SELECT NULL", {},
                           [](const Row& row) { return std::string(row.text(0)); }))
            .value();
    });
    ASSERT_FALSE(null);
    EXPECT_EQ(null.error().code(), Errc::corrupt);
}

TEST_P(TransactionTest, ends_the_query_with_the_failure_of_the_visitor) {
    int rows = 0;
    const auto result = database.read([&](Transaction& t) {
        return t.query("SELECT 1 UNION SELECT 2", {}, [&](const Row&) -> Result<void> {
            ++rows;
            return base::fail(Errc::unsupported, "enough");
        });
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "unsupported: enough");
    EXPECT_EQ(rows, 1);
}

TEST_P(TransactionTest, dooms_the_operation_when_a_statement_fails_even_if_it_is_ignored) {
    const auto result = database.write([](Transaction& t) -> Result<void> {
        TRY(t.execute("INSERT INTO things (id) VALUES (1)"));
        const auto again = t.execute("INSERT INTO things (id) VALUES (1)");
        EXPECT_EQ(again.error().code(), Errc::already_exists);
        EXPECT_FALSE(t.execute("INSERT INTO things (id) VALUES (2)"));
        return {};
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::already_exists);
    database.must([](Transaction& t) -> Result<void> {
        EXPECT_EQ(t.execute("DELETE FROM things"), 0);
        return {};
    });
}

TEST_P(TransactionTest, refuses_to_write_in_a_read) {
    const auto result = database.read(
        [](Transaction& t) { return t.execute("INSERT INTO things (id) VALUES (1)"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::permission_denied);
}

TEST_P(TransactionTest, names_a_broken_rule_of_the_table_an_invalid_argument) {
    const auto result = database.write([](Transaction& t) {
        return t.execute("INSERT INTO meta (name, value) VALUES ($1, $2)", {"x", std::nullopt});
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::invalid_argument);
}

TEST_P(TransactionTest, takes_the_most_parameters_and_columns_and_refuses_one_more) {
    for (const std::size_t count : {kColumnsMax, kColumnsMax + 1}) {
        std::string sql = "SELECT $" + std::to_string(count);
        const auto by_number = database.read([&](Transaction& t) { return t.execute(sql, {1}); });
        ASSERT_FALSE(by_number);  // One value for too many parameters, or a number past the end.
        EXPECT_EQ(by_number.error().code(), Errc::internal);
        sql = "SELECT 1";
        for (std::size_t i = 1; i < count; ++i)
            sql += ", 1";
        const auto wide = database.read([&](Transaction& t) { return t.execute(sql); });
        EXPECT_EQ(wide.has_value(), count == kColumnsMax);
    }
}

TEST_P(TransactionTest, fails_on_bad_sql_and_works_on) {
    const auto result = database.write([](Transaction& t) { return t.execute("SELEC 1"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::internal);
    EXPECT_FALSE(database.write([](Transaction& t) { return t.execute("SELECT 1; SELECT 2"); }));
    EXPECT_FALSE(database.write([](Transaction& t) { return t.execute(""); }));
    EXPECT_TRUE(database.write([](Transaction& t) { return t.execute("SELECT 1"); }));
}

TEST_P(TransactionTest, refuses_a_visitor_that_starts_its_own_statement_again) {
    constexpr std::string_view kSql = "SELECT 1 UNION SELECT 2";
    const auto result = database.read([&](Transaction& t) {
        return t.query(kSql, {}, [&](const Row&) -> Result<void> {
            TRY(t.execute(kSql));
            return {};
        });
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::internal);
}

TEST(Connection, caches_statements_up_to_the_cap_and_runs_those_past_it) {
    auto connection = sqlite::Connection::open({.path = ":memory:"});
    ASSERT_TRUE(connection);
    sqlite::SqliteTransaction transaction(**connection, sqlite::Access::write);
    Transaction& t = transaction;
    const std::size_t before = (*connection)->cached_statements();
    for (std::size_t i = before; i < sqlite::kStatementsMax + 1; ++i)
        ASSERT_TRUE(t.execute("SELECT " + std::to_string(i)));
    EXPECT_EQ((*connection)->cached_statements(), sqlite::kStatementsMax);
    const auto past = t.first("SELECT 'past the cap'", {},
                              [](const Row& row) { return std::string(row.text(0)); });
    ASSERT_TRUE(past);
    EXPECT_EQ(*past, "past the cap");
}

}  // namespace
}  // namespace storage::test
