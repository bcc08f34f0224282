// The catalog: every module of this server, in the order in which they are created and in which
// their hooks run. A new module is a line here, a line in catalog.cpp and its own file.
#pragma once

#include "server/modules/module.h"

#include <string>
#include <vector>

namespace server::modules {

ModuleDescriptor describe_roster();
ModuleDescriptor describe_blocking();
ModuleDescriptor describe_carbons();
ModuleDescriptor describe_client_state();
ModuleDescriptor describe_stanza_ids();
ModuleDescriptor describe_offline();
ModuleDescriptor describe_archive();
ModuleDescriptor describe_retraction();
ModuleDescriptor describe_disco();
ModuleDescriptor describe_caps();
ModuleDescriptor describe_ping();
ModuleDescriptor describe_version();
ModuleDescriptor describe_time();
ModuleDescriptor describe_last_activity();
ModuleDescriptor describe_vcard();
ModuleDescriptor describe_private_storage();
ModuleDescriptor describe_registration();
ModuleDescriptor describe_contact_addresses();
ModuleDescriptor describe_muc();

/// All of them. CHECKs that what a module needs comes before it.
std::vector<ModuleDescriptor> catalog();

/// The table of supported specifications, one Markdown row a line: RFCs of the server's core, then
/// the XEPs of the modules by number. What `--list-xeps` prints and README.md shows.
std::vector<std::string> xep_table(const std::vector<ModuleDescriptor>& catalog);

}  // namespace server::modules
