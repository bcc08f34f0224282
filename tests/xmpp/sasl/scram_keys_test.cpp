// StoredKey and ServerKey against values computed with Python:
//   sp = hashlib.pbkdf2_hmac(h, b'pencil', salt, 4096)
//   stored = hashlib.new(h, hmac.digest(sp, b'Client Key', h)).digest()
//   server = hmac.digest(sp, b'Server Key', h)
#include "xmpp/sasl/scram_keys.h"

#include <gtest/gtest.h>

#include "reactor/base/text.h"

namespace xmpp::sasl {
namespace {

const std::string kSalt = base::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value();

TEST(ScramKeys, match_an_independent_computation_for_sha_1) {
    const auto keys =
        derive_keys(ScramHash::sha1, "pencil", *base::base64_decode("QSXCR+Q6sek8bf92"), 4096);
    ASSERT_TRUE(keys);
    EXPECT_EQ(base::base64_encode(keys->stored_key), "6dlGYMOdZcOPutkcNY8U2g7vK9Y=");
    EXPECT_EQ(base::base64_encode(keys->server_key), "D+CSWLOshSulAsxiupA+qs2/fTE=");
}

TEST(ScramKeys, match_an_independent_computation_for_sha_256) {
    const auto keys = derive_keys(ScramHash::sha256, "pencil", kSalt, 4096);
    ASSERT_TRUE(keys);
    EXPECT_EQ(base::base64_encode(keys->stored_key),
              "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
    EXPECT_EQ(base::base64_encode(keys->server_key),
              "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST(ScramKeys, match_an_independent_computation_for_sha_512) {
    const auto keys = derive_keys(ScramHash::sha512, "pencil", kSalt, 4096);
    ASSERT_TRUE(keys);
    EXPECT_EQ(base::base64_encode(keys->stored_key),
              "6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2hK/"
              "60dzj9DoO5DvVkOHbvg==");
    EXPECT_EQ(base::base64_encode(keys->server_key),
              "jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/"
              "0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA==");
}

TEST(ScramKeys, verify_the_right_password_and_no_other) {
    for (const ScramHash hash : kScramHashes) {
        const auto keys = derive_keys(hash, "pencil", kSalt, 4096);
        ASSERT_TRUE(keys);
        EXPECT_TRUE(verify_password(*keys, "pencil"));
        EXPECT_FALSE(verify_password(*keys, "pencil "));
        EXPECT_FALSE(verify_password(*keys, "Pencil"));
        EXPECT_FALSE(verify_password(*keys, ""));
        EXPECT_FALSE(verify_password(*keys, std::string(kPasswordBytesMax + 1, 'a')));
    }
}

TEST(ScramKeys, are_not_opened_by_the_stand_in_for_an_unusable_password) {
    const auto keys = derive_keys(ScramHash::sha256, "unusable", kSalt, 4096);
    EXPECT_TRUE(verify_password(*keys, "unusable"));
    EXPECT_FALSE(verify_password(*keys, ""));
}

TEST(ScramKeys, survive_damaged_records) {
    EXPECT_FALSE(verify_password(ScramKeys{}, "pencil"));
}

TEST(ScramKeys, refuse_limits_one_past_their_end) {
    const auto refused = [](std::string_view salt, std::uint32_t iterations,
                            std::string_view password = "pencil") {
        return !derive_keys(ScramHash::sha1, password, salt, iterations).has_value();
    };
    EXPECT_FALSE(refused(std::string(kSaltBytesMin, 's'), kIterationsMin));
    EXPECT_TRUE(refused(std::string(kSaltBytesMin - 1, 's'), kIterationsMin));
    EXPECT_FALSE(refused(std::string(kSaltBytesMax, 's'), kIterationsMin));
    EXPECT_TRUE(refused(std::string(kSaltBytesMax + 1, 's'), kIterationsMin));
    EXPECT_TRUE(refused(kSalt, kIterationsMin - 1));
    EXPECT_TRUE(refused(kSalt, kIterationsMax + 1));
    EXPECT_FALSE(refused(kSalt, kIterationsMin, std::string(kPasswordBytesMax, 'p')));
    EXPECT_TRUE(refused(kSalt, kIterationsMin, std::string(kPasswordBytesMax + 1, 'p')));
}

TEST(FakeKeys, are_the_same_for_the_same_name_and_differ_between_names_hashes_and_secrets) {
    const std::string secret(32, 's');
    const ScramKeys keys = fake_keys(ScramHash::sha256, "nobody", secret, 10'000);
    EXPECT_EQ(keys, fake_keys(ScramHash::sha256, "nobody", secret, 10'000));
    EXPECT_NE(keys.salt, fake_keys(ScramHash::sha256, "nobodx", secret, 10'000).salt);
    EXPECT_NE(keys.salt, fake_keys(ScramHash::sha1, "nobody", secret, 10'000).salt);
    EXPECT_NE(keys.salt, fake_keys(ScramHash::sha256, "nobody", std::string(32, 't'), 10'000).salt);
}

TEST(FakeKeys, look_like_real_ones_and_match_no_password) {
    for (const ScramHash hash : kScramHashes) {
        const ScramKeys keys = fake_keys(hash, "nobody", std::string(32, 's'), 4096);
        EXPECT_EQ(keys.hash, hash);
        EXPECT_EQ(keys.salt.size(), kSaltBytesDefault);
        EXPECT_EQ(keys.iterations, 4096U);
        EXPECT_EQ(keys.stored_key.size(), digest_bytes(hash));
        EXPECT_EQ(keys.server_key.size(), digest_bytes(hash));
        EXPECT_FALSE(verify_password(keys, "pencil"));
    }
}

TEST(ScramHash, names_read_back) {
    for (const ScramHash hash : kScramHashes)
        EXPECT_EQ(parse_scram_hash(name_of(hash)), hash);
    EXPECT_FALSE(parse_scram_hash("SHA-384"));
    EXPECT_FALSE(parse_scram_hash("sha-1"));
}

}  // namespace
}  // namespace xmpp::sasl
