// See sasl_exchange.h.
#include "xmpp/client/sasl_exchange.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "reactor/base/text.h"
#include "xmpp/client/failures.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

using base::Errc;

constexpr std::string_view kAbort = "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

std::vector<std::string> texts_of(const Element& features, std::string_view list,
                                  std::string_view ns, std::string_view item) {
    std::vector<std::string> texts;
    const Element* const element = features.child(list, ns);
    if (element == nullptr) return texts;
    for (const Element& child : element->children())
        if (child.name() == item)
            texts.push_back(item == "mechanism" ? child.text()
                                                : std::string(child.attribute("type")));
    return texts;
}

std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all.empty() ? "nothing" : all;
}

bool offers_binding(std::string_view mechanism) {
    return mechanism.ends_with("-PLUS");
}

std::optional<sasl::MechanismChoice> choice_for(const std::vector<std::string>& offered,
                                                const std::vector<std::string>& binding_types,
                                                const SaslOptions& options) {
    const std::vector<std::string_view> types(binding_types.begin(), binding_types.end());
    sasl::ClientAbilities abilities;
    abilities.password = !options.password.empty() && options.account.has_local();
    abilities.certificate = options.certificate && options.is_tls;
    abilities.anonymous = !options.account.has_local();
    abilities.is_tls = options.is_tls;
    abilities.channel_bindings = options.channel_bindings;
    abilities.server_binding_types = types;
    std::vector<std::string_view> names(offered.begin(), offered.end());
    if (options.mechanism.empty()) return sasl::choose_mechanism(names, abilities);
    if (std::ranges::find(names, options.mechanism) == names.end()) return std::nullopt;
    // What else the server offers still decides about the `y` flag (RFC 5802 §6).
    const bool plus_offered = std::ranges::any_of(names, offers_binding);
    names = {options.mechanism};
    auto choice = sasl::choose_mechanism(names, abilities);
    if (choice && plus_offered) choice->could_have_bound = false;
    return choice;
}

// The data of an element: absent, empty ("="), or base64 (RFC 6120 §6.4.2). nullopt: none of them.
std::optional<std::string> decode(const std::string& text) {
    if (text == "=") return std::string();
    return base::base64_decode(text);
}

SaslRefused refuse(std::string why, bool may_abort) {
    return {base::Failure(Errc::permission_denied, std::move(why)),
            may_abort ? std::string(kAbort) : std::string()};
}

}  // namespace

base::Result<SaslExchange> SaslExchange::choose(const Element& features, SaslOptions options) {
    const auto offered = texts_of(features, "mechanisms", ns::sasl, "mechanism");
    const auto types =
        texts_of(features, "sasl-channel-binding", ns::channel_binding, "channel-binding");
    const auto choice = choice_for(offered, types, options);
    if (!choice) {
        const std::string wanted = options.mechanism.empty()
                                       ? std::string("no SASL mechanism in common")
                                       : options.mechanism + " cannot be used";
        const std::string over = options.is_tls ? "" : " without TLS";
        return base::fail(Errc::unsupported,
                          wanted + over + ": the server offers " + joined(offered));
    }
    sasl::ClientContext context;
    context.username = options.account.local();
    context.password = std::move(options.password);
    context.channel_bindings = std::move(options.channel_bindings);
    context.binding_type = choice->binding_type;
    context.could_have_bound = choice->could_have_bound;
    context.nonce = std::move(options.nonce);
    auto mechanism = sasl::make_client_mechanism(choice->name, std::move(context));
    if (mechanism == nullptr)
        return base::fail(Errc::unsupported, "no channel binding for " + std::string(choice->name));
    return SaslExchange(std::string(choice->name), std::move(mechanism));
}

SaslOutcome SaslExchange::start() {
    return follow(mechanism_->start());
}

SaslOutcome SaslExchange::on_element(const Element& element) {
    if (element.name() == "failure") return SaslRefused{failure_of_sasl(element)};
    const std::string text = element.text();
    if (element.name() == "challenge") {
        auto data = decode(text);
        if (!data) return refuse("the server's challenge is not base64", true);
        return follow(mechanism_->challenge(*std::move(data)));
    }
    if (element.name() != "success")
        return refuse("unexpected <" + element.name() + "/> during SASL", true);
    succeeded_ = true;
    if (text.empty()) return follow(mechanism_->success(std::nullopt));
    auto data = decode(text);
    if (!data) return refuse("the data of <success/> is not base64", false);
    return follow(mechanism_->success(std::move(data)));
}

SaslOutcome SaslExchange::provide_salted_password(std::string salted_password) {
    return follow(mechanism_->provide_salted_password(std::move(salted_password)));
}

SaslOutcome SaslExchange::follow(sasl::ClientStep step) {
    if (auto* salted = std::get_if<sasl::NeedSaltedPassword>(&step)) return std::move(*salted);
    if (std::holds_alternative<sasl::Authenticated>(step)) return SaslDone{};
    if (auto* abort = std::get_if<sasl::Abort>(&step))
        return refuse(name_ + ": " + abort->reason, started_ && !succeeded_);
    const std::string& data = std::get<sasl::Response>(step).data;
    Element element(started_ ? "response" : "auth", ns::sasl);
    if (!started_) element.set_attribute("mechanism", name_);
    if (!data.empty()) {
        element.add_text(base::base64_encode(data));
    } else if (!started_) {
        element.add_text("=");
    }
    started_ = true;
    return SaslSend{to_xml(element)};
}

}  // namespace xmpp
