#include "xmpp/payloads/mam.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/data_form.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/forwarded.h"
#include "xmpp/xml/writer.h"

#include <utility>

namespace xmpp {
namespace {

constexpr std::string_view kValidate = "http://jabber.org/protocol/xdata-validate";  // XEP-0122

base::Failure invalid(std::string why) {
    return {base::Errc::invalid_argument, std::move(why)};
}

std::unexpected<StanzaError> refuse(std::string why) {
    return std::unexpected(StanzaError::bad_request(std::move(why)));
}

// An empty value says no more than none.
base::Result<std::optional<std::string>, StanzaError> one_value(const FormField& field) {
    if (field.values.size() > 1) return refuse("several values of " + field.var);
    if (field.value().empty()) return std::nullopt;
    return field.values.front();
}

base::Result<std::optional<base::WallTime>, StanzaError> time_value(const FormField& field) {
    const auto text = TRY(one_value(field));
    if (!text) return std::nullopt;
    const auto time = parse_date_time(*text);
    if (!time) return refuse(field.var + " is no date and time of XEP-0082");
    return time;
}

base::Result<std::optional<Jid>, StanzaError> jid_value(const FormField& field) {
    const auto text = TRY(one_value(field));
    if (!text) return std::nullopt;
    auto jid = Jid::parse(*text);
    if (!jid) return std::unexpected(StanzaError::jid_malformed(std::string(jid.error().detail())));
    return *std::move(jid);
}

base::Result<std::optional<bool>, StanzaError> boolean_value(const FormField& field) {
    const auto text = TRY(one_value(field));
    if (!text) return std::nullopt;
    const auto value = parse_form_boolean(*text);
    if (!value) return refuse(field.var + " is neither true nor false");
    return value;
}

base::Result<std::optional<std::vector<std::string>>, StanzaError> id_values(
    const FormField& field) {
    if (field.values.size() > kMamIdsMax)
        return std::unexpected(StanzaError(ErrorType::modify, StanzaCondition::policy_violation,
                                           "at most " + std::to_string(kMamIdsMax) + " ids"));
    if (field.values.empty() || (field.values.size() == 1 && field.value().empty()))
        return std::nullopt;
    return field.values;
}

base::Result<void, StanzaError> read_field(const FormField& field, MamQuery& query) {
    if (field.var == kFormTypeField || field.type == FieldType::fixed) return {};
    if (field.var == "with") {
        query.with = TRY(jid_value(field));
    } else if (field.var == "start") {
        query.start = TRY(time_value(field));
    } else if (field.var == "end") {
        query.end = TRY(time_value(field));
    } else if (field.var == "before-id") {
        query.before_id = TRY(one_value(field));
    } else if (field.var == "after-id") {
        query.after_id = TRY(one_value(field));
    } else if (field.var == "ids") {
        query.ids = TRY(id_values(field));
    } else if (field.var == "include-groupchat") {
        query.include_groupchat = TRY(boolean_value(field));
    } else {
        return std::unexpected(
            StanzaError::feature_not_implemented("unknown form field " + field.var));
    }
    return {};
}

base::Result<void, StanzaError> read_form(const Element& x, MamQuery& query) {
    const auto form = DataForm::parse(x);
    if (!form) return refuse(std::string(form.error().detail()));
    if (form->type != FormType::submit) return refuse("not a submitted form");
    if (form->form_type() != ns::archive) return refuse("another FORM_TYPE");
    for (const FormField& field : form->fields)
        TRY(read_field(field, query));
    return {};
}

void add_time(DataForm& form, std::string_view var, const std::optional<base::WallTime>& time) {
    if (time)
        form.add(FieldType::text_single, var,
                 format_date_time(*time, DateTimePrecision::microseconds));
}

void add_text(DataForm& form, std::string_view var, const std::optional<std::string>& text) {
    if (text) form.add(FieldType::text_single, var, *text);
}

std::optional<Element> form_of(const MamQuery& query) {
    DataForm form;
    form.type = FormType::submit;
    form.set_form_type(ns::archive);
    if (query.with) form.add(FieldType::jid_single, "with", query.with->text());
    add_time(form, "start", query.start);
    add_time(form, "end", query.end);
    add_text(form, "before-id", query.before_id);
    add_text(form, "after-id", query.after_id);
    if (query.ids) form.add(FieldType::list_multi, "ids").values = *query.ids;
    if (query.include_groupchat)
        form.add(FieldType::boolean, "include-groupchat",
                 *query.include_groupchat ? "true" : "false");
    if (form.fields.size() == 1) return std::nullopt;
    return form.to_element();
}

std::string stamp(base::WallTime time) {
    return format_date_time(time, DateTimePrecision::milliseconds);
}

base::Result<MamMetadata::End> parse_end(const Element& element) {
    const auto timestamp = parse_date_time(element.attribute("timestamp"));
    if (element.attribute("id").empty() || !timestamp)
        return std::unexpected(invalid("an end without id or timestamp"));
    return MamMetadata::End{std::string(element.attribute("id")), *timestamp};
}

}  // namespace

base::Result<MamQuery, StanzaError> MamQuery::parse(const Element& query) {
    if (!query.is("query", ns::archive)) return refuse("not a query of an archive");
    if (query.has_attribute("node"))
        return std::unexpected(StanzaError::item_not_found("this archive has no nodes"));
    MamQuery parsed;
    if (query.has_attribute("queryid")) {
        if (query.attribute("queryid").size() > kMamQueryIdBytesMax)
            return refuse("the queryid is too long");
        parsed.query_id = query.attribute("queryid");
    }
    const Element* form = nullptr;
    const Element* set = nullptr;
    for (const Element& child : query.children()) {
        if (child.is("flip-page", ns::archive)) parsed.flip_page = true;
        const bool is_form = child.is("x", ns::data_forms);
        if (!is_form && !child.is("set", ns::rsm)) continue;
        const Element*& found = is_form ? form : set;
        if (found != nullptr) return refuse(is_form ? "two forms" : "two set elements");
        found = &child;
    }
    if (form != nullptr) TRY(read_form(*form, parsed));
    if (set != nullptr) {
        auto page = RsmRequest::parse(*set);
        if (!page) return refuse(std::string(page.error().detail()));
        parsed.page = *std::move(page);
    }
    return parsed;
}

Element MamQuery::to_element() const {
    Element query("query", ns::archive);
    if (query_id) query.set_attribute("queryid", *query_id);
    if (auto form = form_of(*this)) query.add(*std::move(form));
    if (page.max || page.after || page.before || page.index) query.add(page.to_element());
    if (flip_page) query.add_child("flip-page");
    return query;
}

Element mam_form_element() {
    DataForm form;
    form.set_form_type(ns::archive);
    form.add(FieldType::jid_single, "with");
    for (const std::string_view var : {"start", "end", "before-id", "after-id"})
        form.add(FieldType::text_single, var);
    form.add(FieldType::list_multi, "ids");
    form.add(FieldType::boolean, "include-groupchat");
    // A value is no part of a field that only says what may be asked.
    for (FormField& field : form.fields)
        if (field.var != kFormTypeField) field.values.clear();
    Element query("query", ns::archive);
    Element& x = query.add(form.to_element());
    for (Element& field : x.children()) {
        if (field.attribute("var") != "ids") continue;
        Element& validate = field.add_child("validate", kValidate);
        validate.set_attribute("datatype", "xs:string").add_child("open");
    }
    return query;
}

Stanza mam_result(const Jid& archive, const Jid& to, const MamQuery& query, std::string_view id,
                  base::WallTime received_at, std::string_view stanza) {
    Element message("message", ns::client);
    message.set_attribute("from", archive.text()).set_attribute("to", to.text());
    message.set_attribute("id", id);
    Element result("result", ns::archive);
    if (query.query_id) result.set_attribute("queryid", *query.query_id);
    result.set_attribute("id", id);

    constexpr std::string_view kMessage = "<message";
    std::string inner;
    inner.reserve(stanza.size() + 350);
    append_start_tag(inner, result, ns::client);
    inner += "><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='";
    inner += stamp(received_at);
    inner += "'/>";
    if (stanza.starts_with(kMessage)) {
        inner += kMessage;
        inner += " xmlns='jabber:client'";
        inner += stanza.substr(kMessage.size());
    }
    inner += "</forwarded></result>";
    message.add(std::move(result));
    // Both addresses are ones already.
    return *Stanza::from_element(std::move(message), base::SharedBytes(std::move(inner)));
}

base::Result<MamResult> parse_mam_result(const Stanza& message) {
    const Element* result = message.is_message() ? message.child("result", ns::archive) : nullptr;
    if (result == nullptr) return std::unexpected(invalid("no result"));
    const Element* element = result->child("forwarded", ns::forward);
    if (result->attribute("id").empty() || element == nullptr)
        return std::unexpected(invalid("a result without id or message"));
    auto forwarded = TRY(parse_forwarded(*element));
    if (!forwarded.delay || !forwarded.stanza.is_message())
        return std::unexpected(invalid("a result without time or message"));
    return MamResult{.query_id = std::string(result->attribute("queryid")),
                     .id = std::string(result->attribute("id")),
                     .received_at = forwarded.delay->stamp,
                     .stanza = std::move(forwarded.stanza)};
}

Element MamFin::to_element() const {
    Element fin("fin", ns::archive);
    if (complete) fin.set_attribute("complete", "true");
    fin.set_attribute("stable", stable ? "true" : "false");
    fin.add(set.to_element());
    return fin;
}

base::Result<MamFin> MamFin::parse(const Element& fin) {
    if (!fin.is("fin", ns::archive)) return std::unexpected(invalid("not the end of a page"));
    const Element* set = fin.child("set", ns::rsm);
    if (set == nullptr) return std::unexpected(invalid("the end of a page without set"));
    MamFin parsed;
    parsed.complete = parse_form_boolean(fin.attribute("complete")).value_or(false);
    parsed.stable = parse_form_boolean(fin.attribute("stable")).value_or(true);
    parsed.set = TRY(RsmResponse::parse(*set));
    return parsed;
}

Element MamMetadata::to_element() const {
    Element metadata("metadata", ns::archive);
    const auto add = [&](std::string_view name, const std::optional<End>& one) {
        if (!one) return;
        metadata.add_child(name)
            .set_attribute("id", one->id)
            .set_attribute("timestamp", stamp(one->timestamp));
    };
    add("start", start);
    add("end", end);
    return metadata;
}

base::Result<MamMetadata> MamMetadata::parse(const Element& metadata) {
    if (!metadata.is("metadata", ns::archive)) return std::unexpected(invalid("not metadata"));
    const Element* start = metadata.child("start");
    const Element* end = metadata.child("end");
    if ((start == nullptr) != (end == nullptr)) return std::unexpected(invalid("one end only"));
    MamMetadata parsed;
    if (start == nullptr) return parsed;
    parsed.start = TRY(parse_end(*start));
    parsed.end = TRY(parse_end(*end));
    return parsed;
}

}  // namespace xmpp
