#include "xmpp/client/failures.h"

#include <gtest/gtest.h>

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"

namespace xmpp {
namespace {

using base::Errc;

TEST(ClientFailures, name_the_condition_of_a_stream_error) {
    EXPECT_EQ(failure_of(StreamError(StreamCondition::conflict, "Replaced")).message(),
              "already_exists: the server closed the stream: conflict (Replaced)");
    EXPECT_EQ(failure_of(StreamError(StreamCondition::host_unknown)).code(), Errc::not_found);
    EXPECT_EQ(failure_of(StreamError(StreamCondition::system_shutdown)).code(),
              Errc::connection_done);
    EXPECT_EQ(failure_of(StreamError(StreamCondition::unsupported_version)).code(),
              Errc::unsupported);
    EXPECT_EQ(failure_of(StreamError(StreamCondition::policy_violation)).code(),
              Errc::connection_aborted);
}

TEST(ClientFailures, give_the_condition_of_a_stanza_error_back) {
    for (std::size_t i = 0; i < kStanzaConditionCount; ++i) {
        const auto condition = static_cast<StanzaCondition>(i);
        EXPECT_EQ(condition_of(failure_of(StanzaError(condition))), condition);
        EXPECT_EQ(condition_of(failure_of(StanzaError(condition, "because"))), condition);
    }
    EXPECT_EQ(condition_of(base::Failure(Errc::timed_out, "no answer")), std::nullopt);
    EXPECT_EQ(condition_of(base::Failure(Errc::cancelled)), std::nullopt);
}

std::string sasl_failure(const std::string& content) {
    const auto element =
        read_element("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + content + "</failure>");
    return failure_of_sasl(*element).message();
}

TEST(ClientFailures, tell_a_wrong_password_from_a_busy_server) {
    EXPECT_EQ(sasl_failure("<not-authorized/>"),
              "permission_denied: the server refused the login: not-authorized");
    EXPECT_EQ(sasl_failure("<account-disabled/><text xml:lang='en'>Call us</text>"),
              "permission_denied: the server refused the login: account-disabled (Call us)");
    EXPECT_EQ(sasl_failure("<temporary-auth-failure/>"),
              "busy: the server refused the login: temporary-auth-failure");
    EXPECT_EQ(sasl_failure("<text>no</text><invalid-mechanism/>"),
              "unsupported: the server refused the login: invalid-mechanism (no)");
    EXPECT_EQ(sasl_failure("<bad-weather/>"),
              "permission_denied: the server refused the login: bad-weather");
    EXPECT_EQ(sasl_failure(""), "permission_denied: the server refused the login: no reason given");
}

}  // namespace
}  // namespace xmpp
