//! The brokers from outside: real sockets on loopback, servers that say what a test tells them to.

mod answers; // what a server can do to us
mod http; // what is sent
mod mail_tls;
mod peer; // servers and channels
mod publish; // AMQP and MQTT
mod reach; // which URLs and servers are reached at all
mod redirects;
mod smtp;
mod tls;
mod tokens; // OAuth 2.0
