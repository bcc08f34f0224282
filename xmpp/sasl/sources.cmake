target_sources(xmpp PRIVATE
    sasl/channel_binding.cpp sasl/client.cpp sasl/crypto.cpp sasl/identity.cpp sasl/mechanism.cpp
    sasl/saslprep.cpp sasl/scram_client.cpp sasl/scram_keys.cpp sasl/scram_messages.cpp
    sasl/scram_server.cpp sasl/simple_servers.cpp sasl/step.cpp)
