// Who the bots are: user names by pattern, "bot{n}" by default, so that no bot keeps strings of its
// own.
#pragma once

#include "reactor/base/result.h"
#include "tests/bots/workload/workload.h"
#include "xmpp/core/jid.h"

#include <optional>
#include <string>
#include <string_view>

namespace bots {

/// Every bot has the same resource: its account is told by its name.
inline constexpr std::string_view kResource = "bots";

class NamePattern {
public:
    /// `pattern` contains "{n}" once, for the bot's number from 1. Failures: invalid_argument
    /// (no {n}, or not a user name or a domain once it is filled in).
    static base::Result<NamePattern> create(std::string_view pattern, std::string_view domain);

    std::string local(BotNumber bot) const;
    xmpp::Jid bare(BotNumber bot) const;
    xmpp::Jid full(BotNumber bot) const;
    /// Appends the address, escaped for an attribute's value.
    void append_bare(std::string& out, BotNumber bot) const;
    void append_full(std::string& out, BotNumber bot) const;
    /// Whose address this is, with any resource; nothing when it is no bot's. `users`: how many
    /// bots there are.
    std::optional<BotNumber> number_of(const xmpp::Jid& jid, BotNumber users) const;

    const std::string& domain() const noexcept { return domain_; }

private:
    NamePattern() = default;

    std::string before_;  // Of the name, prepared (RFC 7622).
    std::string after_;
    std::string domain_;
    std::string escaped_before_;
    std::string escaped_after_;  // "…@domain"
};

}  // namespace bots
