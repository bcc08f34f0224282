#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/config.h"
#include "server/config/core_keys.h"
#include "server/config/notation.h"
#include "server/config/registry.h"
#include "tests/server/config/test_registry.h"

namespace server::test {
namespace {

using ::testing::HasSubstr;

KeyRegistry core_registry() {
    KeyRegistry registry;
    register_core_keys(registry);
    return registry;
}

/// The reference with its commented keys switched on, so that every default goes through the
/// loader.
std::string uncommented(std::string_view reference) {
    std::string text;
    while (!reference.empty()) {
        const std::size_t end = reference.find('\n') + 1;
        std::string_view line = reference.substr(0, end);
        if (line.size() > 2 && line[0] == '#' && line[1] != '#' && line[1] != ' ' &&
            line[1] != '\n')
            line.remove_prefix(1);
        text += line;
        reference.remove_prefix(end);
    }
    return text;
}

TEST(Reference, loads_as_it_is_as_the_default_configuration) {
    const KeyRegistry registry = core_registry();
    const auto config = parse_config(config_reference(registry), "reference", registry);
    ASSERT_TRUE(config) << config.error()[0].to_string();
    EXPECT_TRUE(diff(Config(), *config, registry).empty());
}

TEST(Reference, shows_defaults_that_load_as_the_defaults) {
    for (const KeyRegistry& registry : {core_registry(), test_registry()}) {
        std::string text = uncommented(config_reference(registry));
        text.erase(text.find("\n[[host]]"));  // Its certificate is an example, not a default.
        const auto config = parse_config(text, "reference", registry);
        ASSERT_TRUE(config) << config.error()[0].to_string();
        for (const ConfigChange& change : diff(Config(), *config, registry))
            // A path in a file counts from the file's folder; the text differs, the place does not.
            EXPECT_EQ(change.key, "data_dir") << change.before << " " << change.after;
        for (const KeySpec& key : registry.keys())
            EXPECT_THAT(text, HasSubstr(" = " + default_text(key) + "\n")) << key.name;
    }
}

TEST(Reference, documents_type_range_and_help_of_every_key) {
    const KeyRegistry registry = core_registry();
    const std::string text = config_reference(registry);
    for (const KeySpec& key : registry.keys())
        EXPECT_THAT(text,
                    HasSubstr("\n#" + std::string(key.name.substr(key.name.find('.') + 1)) + " = "))
            << key.name;
    EXPECT_THAT(text, HasSubstr("a number from 0 to 65535; needs a restart."));
    EXPECT_THAT(text, HasSubstr("#[[host]]"));
    std::size_t start = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', start)) {
        if (text[start] == '#' && text[start + 1] == '#') {
            EXPECT_LE(end - start, 100U);
        }
        start = end + 1;
    }
}

TEST(Reference, the_example_that_is_shipped_has_no_problem) {
    const auto config = load_config(PARLEY_SOURCE_DIR "/deploy/parley.toml", core_registry());
    ASSERT_TRUE(config) << config.error()[0].to_string();
    EXPECT_EQ(config->hosts()[0].name, "example.org");
}

}  // namespace
}  // namespace server::test
