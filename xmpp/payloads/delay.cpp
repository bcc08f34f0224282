#include "xmpp/payloads/delay.h"

#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"

namespace xmpp {

Element delay_element(std::string_view from, base::WallTime stamp, std::string_view reason) {
    Element delay("delay", ns::delay);
    if (!from.empty()) delay.set_attribute("from", from);
    delay.set_attribute("stamp", format_date_time(stamp, DateTimePrecision::milliseconds));
    if (!reason.empty()) delay.add_text(reason);
    return delay;
}

base::Result<Delay> parse_delay(const Element& element) {
    if (!element.is("delay", ns::delay))
        return base::fail(base::Errc::invalid_argument, "not a delay element");
    const auto stamp = parse_date_time(element.attribute("stamp"));
    if (!stamp) return base::fail(base::Errc::invalid_argument, "no valid stamp");
    return Delay{std::string(element.attribute("from")), *stamp, element.text()};
}

}  // namespace xmpp
