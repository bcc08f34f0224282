#include "xmpp/sasl/channel_binding.h"

namespace xmpp::sasl {

const ChannelBinding* find_binding(std::span<const ChannelBinding> bindings,
                                   std::string_view type) noexcept {
    for (const ChannelBinding& binding : bindings)
        if (binding.type == type && !binding.data.empty()) return &binding;
    return nullptr;
}

}  // namespace xmpp::sasl
