#include "server/modules/catalog.h"

#include "reactor/base/check.h"

#include <algorithm>

namespace server::modules {

std::vector<ModuleDescriptor> catalog() {
    std::vector<ModuleDescriptor> all = {
        describe_roster(),       describe_disco(),           describe_caps(),
        describe_ping(),         describe_version(),         describe_time(),
        describe_last_activity(), describe_vcard(),          describe_private_storage(),
        describe_offline(),      describe_registration(),    describe_contact_addresses(),
    };
    for (auto module = all.begin(); module != all.end(); ++module) {
        for (const std::string_view needed : module->needs)
            CHECK(std::ranges::find(all.begin(), module, needed, &ModuleDescriptor::name) !=
                  module);
    }
    return all;
}

}  // namespace server::modules
