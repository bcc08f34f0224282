// The stores with one row per account or key: vCards, private XML, last activity, meta.
#include "storage/tables/last_activity.h"
#include "storage/tables/meta.h"
#include "storage/tables/private_xml.h"
#include "storage/tables/vcards.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <string>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

class SmallStores : public EveryEngine {
protected:
    template <class Function>
    Errc failure_of(Function function) {
        const auto result = database.write(function);
        return result ? Errc::internal : result.error().code();
    }

    const xmpp::Jid juliet = *xmpp::Jid::parse("juliet@capulet.example");
    const xmpp::Jid nurse = *xmpp::Jid::parse("nurse@capulet.example");
};

INSTANTIATE_TEST_SUITE_P(Engines, SmallStores, every_engine(), name_of);

TEST_P(SmallStores, keep_a_vcard_with_the_hash_of_its_photo) {
    database.must([&](Transaction& t) -> Result<void> {
        Vcards vcards(t);
        EXPECT_FALSE(TRY(vcards.get(juliet)));
        EXPECT_FALSE(TRY(vcards.photo_sha1(juliet)));
        TRY(vcards.put(juliet, {.xml = "<vCard/>", .photo_sha1 = "abc"}));
        EXPECT_EQ(TRY(vcards.get(juliet))->xml, "<vCard/>");
        EXPECT_EQ(TRY(vcards.photo_sha1(juliet)), "abc");
        TRY(vcards.put(juliet, {.xml = "<vCard></vCard>", .photo_sha1 = {}}));
        EXPECT_EQ(TRY(vcards.get(juliet))->xml, "<vCard></vCard>");
        EXPECT_EQ(TRY(vcards.get(juliet))->photo_sha1, std::nullopt);
        EXPECT_FALSE(TRY(vcards.photo_sha1(juliet)));
        EXPECT_FALSE(TRY(vcards.get(nurse)));
        EXPECT_TRUE(TRY(vcards.remove(juliet)));
        EXPECT_FALSE(TRY(vcards.remove(juliet)));
        return {};
    });
}

TEST_P(SmallStores, refuse_a_vcard_one_byte_past_the_cap) {
    const auto put = [&](std::size_t bytes) {
        return [this, bytes](Transaction& t) {
            return Vcards(t).put(juliet, {.xml = std::string(bytes, 'x'), .photo_sha1 = {}});
        };
    };
    EXPECT_TRUE(database.write(put(kVcardBytesMax)));
    EXPECT_EQ(failure_of(put(kVcardBytesMax + 1)), Errc::resource_exhausted);
}

TEST_P(SmallStores, keep_private_xml_by_namespace_and_name) {
    database.must([&](Transaction& t) -> Result<void> {
        PrivateXml store(t);
        TRY(store.put(juliet, {"exodus:prefs", "exodus"}, "<a/>"));
        TRY(store.put(juliet, {"exodus:prefs", "other"}, "<b/>"));
        TRY(store.put(juliet, {"exodus:prefs", "exodus"}, "<c/>"));
        EXPECT_EQ(TRY(store.get(juliet, {"exodus:prefs", "exodus"})), "<c/>");
        EXPECT_EQ(TRY(store.get(juliet, {"exodus:prefs", "other"})), "<b/>");
        EXPECT_FALSE(TRY(store.get(juliet, {"exodus", "exodus:prefs"})));
        EXPECT_FALSE(TRY(store.get(nurse, {"exodus:prefs", "exodus"})));
        EXPECT_TRUE(TRY(store.remove(juliet, {"exodus:prefs", "exodus"})));
        EXPECT_FALSE(TRY(store.get(juliet, {"exodus:prefs", "exodus"})));
        return {};
    });
}

TEST_P(SmallStores, refuse_private_xml_past_its_caps) {
    database.must([&](Transaction& t) -> Result<void> {
        for (std::int64_t i = 0; i < kPrivateXmlElementsMax; ++i)
            TRY(PrivateXml(t).put(juliet, {"ns", std::to_string(i)}, "<x/>"));
        return {};
    });
    const auto put = [&](const xmpp::Jid& account, std::size_t name, std::size_t bytes) {
        return [&account, name, bytes](Transaction& t) -> Result<void> {
            const std::string text(name, 'n');
            TRY(PrivateXml(t).put(account, {text, "x"}, ""));
            return PrivateXml(t).put(account, {"ns", text}, std::string(bytes, 'x'));
        };
    };
    EXPECT_EQ(failure_of(put(juliet, 5, 1)), Errc::resource_exhausted);
    EXPECT_TRUE(database.write(
        [&](Transaction& t) { return PrivateXml(t).put(juliet, {"ns", "0"}, "<again/>"); }));
    EXPECT_TRUE(database.write(put(nurse, kPrivateXmlNameBytesMax, kPrivateXmlBytesMax)));
    EXPECT_EQ(failure_of(put(nurse, kPrivateXmlNameBytesMax + 1, 1)), Errc::resource_exhausted);
    EXPECT_EQ(failure_of(put(nurse, 1, kPrivateXmlBytesMax + 1)), Errc::resource_exhausted);
}

TEST_P(SmallStores, keep_the_last_activity_with_a_status_cut_at_a_character) {
    database.must([&](Transaction& t) -> Result<void> {
        LastActivity store(t);
        EXPECT_FALSE(TRY(store.get(juliet)));
        TRY(store.put(juliet, {.at = {5}, .status = "at the balcony"}));
        EXPECT_EQ(TRY(store.get(juliet))->status, "at the balcony");
        // One byte and then characters of two: the last would be cut in half.
        std::string status = "x";
        while (status.size() <= kLastStatusBytesMax)
            status += "é";
        TRY(store.put(juliet, {.at = kNow, .status = status}));
        EXPECT_EQ(TRY(store.get(juliet))->status.size(), kLastStatusBytesMax - 1);
        EXPECT_EQ(TRY(store.get(juliet))->at, kNow);
        TRY(store.put(juliet, {.at = kNow, .status = std::string(kLastStatusBytesMax, 'x')}));
        EXPECT_EQ(TRY(store.get(juliet))->status.size(), kLastStatusBytesMax);
        return {};
    });
}

TEST_P(SmallStores, make_a_secret_once) {
    database.must([&](Transaction& t) -> Result<void> {
        Meta meta(t);
        const std::string secret("\0\x01secret", 8);
        EXPECT_FALSE(TRY(meta.get(kMetaScramFakeSaltSecret)));
        EXPECT_EQ(TRY(meta.get_or_create(kMetaScramFakeSaltSecret, secret)), secret);
        EXPECT_EQ(TRY(meta.get_or_create(kMetaScramFakeSaltSecret, "another")), secret);
        TRY(meta.put(kMetaDatabaseId, "id"));
        EXPECT_EQ(TRY(meta.get(kMetaDatabaseId)), "id");
        return {};
    });
}

}  // namespace
}  // namespace storage::test
