// XEP-0004 (the bot of §5.1 and the search of §5.2) and XEP-0068.
#include "xmpp/payloads/data_form.h"

#include "from_xml.h"

namespace xmpp {
namespace {

using testing::from_xml;

base::Result<DataForm> parse(const std::string& inner, std::string_view type = "form") {
    return DataForm::parse(
        from_xml("<x xmlns='jabber:x:data' type='" + std::string(type) + "'>" + inner + "</x>"));
}
std::string repeated(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i)
        result += text;
    return result;
}
std::string numbered_fields(std::size_t count) {
    std::string result;
    for (std::size_t i = 0; i < count; ++i)
        result += "<field var='f" + std::to_string(i) + "'/>";
    return result;
}

const std::string kBotForm =
    "<title>Bot Configuration</title>"
    "<instructions>Fill out this form to configure your new bot!</instructions>"
    "<field type='hidden' var='FORM_TYPE'><value>jabber:bot</value></field>"
    "<field type='fixed'><value>Section 1: Bot Info</value></field>"
    "<field type='text-single' label='The name of your bot' var='botname'/>"
    "<field type='text-multi' label='Helpful description of your bot' var='description'/>"
    "<field type='boolean' label='Public bot?' var='public'><required/></field>"
    "<field type='text-private' label='Password for special access' var='password'/>"
    "<field type='list-multi' label='What features?' var='features'>"
    "<option label='News'><value>news</value></option>"
    "<option label='Search'><value>search</value></option>"
    "<value>news</value><value>search</value></field>"
    "<field type='fixed'><value>Section 3: Subscriber List</value></field>"
    "<field type='list-single' label='Maximum number of subscribers' var='maxsubs'>"
    "<value>20</value><option label='10'><value>10</value></option>"
    "<option label='20'><value>20</value></option></field>"
    "<field type='jid-multi' label='People to invite' var='invitelist'>"
    "<desc>Tell all your friends about your new bot!</desc></field>";

std::string submitted(const std::string& fields) {
    return "<field var='FORM_TYPE'><value>jabber:bot</value></field>" + fields;
}

TEST(DataForm, reads_the_bot_form) {
    const auto form = parse(kBotForm);
    ASSERT_TRUE(form);
    EXPECT_EQ(form->type, FormType::form);
    EXPECT_EQ(form->title, "Bot Configuration");
    EXPECT_EQ(form->instructions.size(), 1U);
    EXPECT_EQ(form->form_type(), "jabber:bot");
    EXPECT_EQ(form->fields.size(), 10U);
    EXPECT_TRUE(form->find("public")->required);
    EXPECT_EQ(form->find("public")->type, FieldType::boolean);
    EXPECT_EQ(form->find("features")->values, (std::vector<std::string>{"news", "search"}));
    EXPECT_EQ(form->find("features")->options[1].label, "Search");
    EXPECT_EQ(form->find("invitelist")->description, "Tell all your friends about your new bot!");
    EXPECT_EQ(form->value("maxsubs"), "20");
    EXPECT_EQ(form->value("botname"), std::nullopt);
    EXPECT_EQ(form->value("nothing"), std::nullopt);
}

TEST(DataForm, is_read_back_as_it_was_written) {
    for (const std::string_view type : {"form", "submit", "cancel", "result"}) {
        const auto form = parse(kBotForm, type);
        ASSERT_TRUE(form);
        const auto again = DataForm::parse(form->to_element());
        ASSERT_TRUE(again);
        EXPECT_EQ(name_of(again->type), type);
        EXPECT_EQ(again->to_element(), form->to_element());
    }
}

TEST(DataForm, reads_and_writes_a_table) {
    const std::string table =
        "<title>Joogle Search: verona</title><reported><field var='name'/><field var='url'/>"
        "</reported><item><field var='name'><value>Comune di Verona</value></field>"
        "<field var='url'><value>http://www.comune.verona.it/</value></field></item>"
        "<item><field var='name'><value>benvenuto!</value></field>"
        "<field var='url'><value/></field></item>";
    const auto form = parse(table, "result");
    ASSERT_TRUE(form);
    EXPECT_EQ(form->reported.size(), 2U);
    ASSERT_EQ(form->items.size(), 2U);
    EXPECT_EQ(form->items[0][1].value(), "http://www.comune.verona.it/");
    EXPECT_EQ(form->to_element(),
              from_xml("<x xmlns='jabber:x:data' type='result'>" + table + "</x>"));
}

TEST(DataForm, is_built_field_by_field) {
    DataForm form{.type = FormType::form};
    form.set_form_type("urn:example");
    form.add(FieldType::text_single, "name", "Parley").required = true;
    form.add(FieldType::boolean, "open");
    EXPECT_EQ(form.to_element(),
              from_xml("<x xmlns='jabber:x:data' type='form'>"
                       "<field var='FORM_TYPE' type='hidden'><value>urn:example</value></field>"
                       "<field var='name' type='text-single'><required/><value>Parley</value>"
                       "</field><field var='open' type='boolean'/></x>"));
}

TEST(DataForm, takes_unknown_field_types_for_text_single) {
    EXPECT_EQ(parse("<field var='a' type='hologram'/>")->find("a")->type, FieldType::text_single);
    EXPECT_EQ(parse("<field var='a'/>")->find("a")->type, std::nullopt);
}

TEST(DataForm, ignores_elements_that_it_does_not_know) {
    EXPECT_TRUE(
        parse("<surprise/><field xmlns='other'/><field var='a'><validate xmlns='v'/>"
              "</field>"));
}

TEST(DataForm, counts_only_a_hidden_form_type_in_forms_and_results) {
    const std::string visible =
        "<field var='FORM_TYPE' type='text-single'><value>a</value></field>";
    EXPECT_EQ(parse(visible, "form")->form_type(), "");
    EXPECT_EQ(parse(visible, "result")->form_type(), "");
    EXPECT_EQ(parse(visible, "submit")->form_type(), "a");
    EXPECT_EQ(parse("", "submit")->form_type(), "");
}

TEST(DataForm, ignores_duplicate_jids) {
    const auto form = parse(
        "<field var='a' type='jid-multi'><value>Juliet@capulet.com</value>"
        "<value>romeo@montague.net</value><value>juliet@capulet.com</value></field>");
    EXPECT_EQ(form->find("a")->values.size(), 2U);
}

TEST(DataForm, refuses_what_the_xep_forbids) {
    for (const std::string_view inner :
         {"<field/>", "<field type='text-single'/>", "<field var=''/>",
          "<field var='a'/><field var='a'/>",
          "<field var='a' type='text-single'><value>1</value><value>2</value></field>",
          "<field var='a' type='boolean'><value>1</value><value>0</value></field>",
          "<field var='a' type='list-single'><option/></field>",
          "<field var='a' type='list-single'><option><value>1</value><value>2</value></option>"
          "</field>",
          "<field var='a' type='text-single'><option><value>1</value></option></field>",
          "<reported><field var='a'/></reported><reported><field var='a'/></reported>",
          "<item><field/></item>", "<reported><field var='a'/><field var='a'/></reported>"})
        EXPECT_TRUE(parse(std::string(inner)).error().is(base::Errc::invalid_argument)) << inner;
    EXPECT_FALSE(parse("", "error"));
    EXPECT_FALSE(DataForm::parse(from_xml("<x xmlns='jabber:x:data'/>")));
    EXPECT_FALSE(DataForm::parse(from_xml("<x xmlns='other' type='form'/>")));
}

TEST(DataForm, keeps_its_limits) {
    const auto over = [](const std::string& inner) {
        const auto form = parse(inner);
        return !form && form.error().is(base::Errc::resource_exhausted);
    };
    EXPECT_FALSE(over(numbered_fields(kFormFieldsMax)));
    EXPECT_TRUE(over(numbered_fields(kFormFieldsMax + 1)));
    EXPECT_TRUE(over("<item>" + numbered_fields(kFormFieldsMax + 1) + "</item>"));
    const std::string head = "<field var='a' type='list-multi'>";
    EXPECT_FALSE(over(head + repeated("<value/>", kFormValuesMax) + "</field>"));
    EXPECT_TRUE(over(head + repeated("<value/>", kFormValuesMax + 1) + "</field>"));
    const std::string option = "<option><value/></option>";
    EXPECT_FALSE(over(head + repeated(option, kFormOptionsMax) + "</field>"));
    EXPECT_TRUE(over(head + repeated(option, kFormOptionsMax + 1) + "</field>"));
    EXPECT_FALSE(over(repeated("<item/>", kFormItemsMax)));
    EXPECT_TRUE(over(repeated("<item/>", kFormItemsMax + 1)));
    EXPECT_FALSE(over(repeated("<instructions/>", kFormFieldsMax)));
    EXPECT_TRUE(over(repeated("<instructions/>", kFormFieldsMax + 1)));
}

TEST(FormBoolean, has_four_spellings) {
    EXPECT_EQ(parse_form_boolean("1"), true);
    EXPECT_EQ(parse_form_boolean("true"), true);
    EXPECT_EQ(parse_form_boolean("0"), false);
    EXPECT_EQ(parse_form_boolean("false"), false);
    for (const std::string_view text : {"", "yes", "TRUE", " 1", "01"})
        EXPECT_EQ(parse_form_boolean(text), std::nullopt) << text;
}

class Submission : public ::testing::Test {
protected:
    bool passes(const std::string& fields) {
        const auto submission = parse(fields, "submit");
        EXPECT_TRUE(submission);
        return submission && check_submission(form_, *submission).has_value();
    }
    const DataForm form_ = parse(kBotForm).value();
};

TEST_F(Submission, passes_when_it_fits_the_form) {
    EXPECT_TRUE(
        passes(submitted("<field var='botname'><value>The Jabber Google Bot</value></field>"
                         "<field var='description'><value>a</value><value>b</value></field>"
                         "<field var='public'><value>0</value></field>"
                         "<field var='features'><value>news</value><value>search</value></field>"
                         "<field var='maxsubs'><value>10</value></field>"
                         "<field var='invitelist'><value>juliet@capulet.com</value></field>")));
}

TEST_F(Submission, may_leave_out_what_is_optional) {
    EXPECT_TRUE(passes("<field var='public'><value>true</value></field>"));
    EXPECT_TRUE(
        passes("<field var='public'><value>true</value></field>"
               "<field var='maxsubs'><value/></field><field var='invitelist'/>"));
}

TEST_F(Submission, may_add_fields_that_the_form_does_not_know) {
    EXPECT_TRUE(
        passes("<field var='public'><value>1</value></field>"
               "<field var='colour'><value>red</value><value>blue</value></field>"));
}

TEST_F(Submission, fails_on_invalid_fields) {
    const std::string required = "<field var='public'><value>1</value></field>";
    for (const std::string& fields :
         {submitted(""), submitted("<field var='public'/>"),
          submitted("<field var='public'><value/></field>"),
          submitted("<field var='public'><value>yes</value></field>"),
          "<field var='FORM_TYPE'><value>jabber:cat</value></field>" + required,
          required + "<field var='maxsubs'><value>30</value></field>",
          required + "<field var='maxsubs'><value>10</value><value>20</value></field>",
          required + "<field var='features'><value>news</value><value>war</value></field>",
          required + "<field var='botname'><value>a</value><value>b</value></field>",
          required + "<field var='invitelist'><value>@@</value></field>"})
        EXPECT_FALSE(passes(fields)) << fields;
}

TEST_F(Submission, must_be_one) {
    EXPECT_FALSE(check_submission(form_, form_));
}

}  // namespace
}  // namespace xmpp
