//! Listening, and saying clearly why it does not work.

use super::Reach;
use crate::{
    failure::{Failure, Outcome},
    settings::{is_chosen, secret_key},
};
use chat_config::Settings;
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};
use tokio::net::TcpListener;

/// The listener of the HTTP interface, if there is one.
pub(super) async fn api(settings: &Settings, reach: Reach) -> Outcome<Option<TcpListener>> {
    let address = match reach {
        Reach::Nobody => return Ok(None),
        Reach::Public => SocketAddr::new(settings.http.host, settings.http.port),
        Reach::Private => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
    };
    if !address.ip().is_loopback() && secret_key(settings).is_none() {
        return Err(open_to_all(address.ip()));
    }
    TcpListener::bind(address).await.map(Some).map_err(|error| {
        refused(address, "PORT", &error).hint("choose another port with --port N (0 takes any free one)")
    })
}

/// The listener of the metrics, if they are served. A port that nobody chose is no reason not to start.
pub(super) async fn metrics(settings: &Settings, reach: Reach) -> Outcome<Option<TcpListener>> {
    if reach == Reach::Private || !settings.prometheus.enabled {
        return Ok(None);
    }
    let address = SocketAddr::new(settings.prometheus.host, settings.prometheus.port);
    let error = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(Some(listener)),
        Err(error) => error,
    };
    if error.kind() == ErrorKind::AddrInUse && !is_chosen(settings, "PROMETHEUS_PORT") {
        tracing::warn!(
            port = address.port(),
            "the port of the metrics is taken: they are served on a free one"
        );
        let any = SocketAddr::new(address.ip(), 0);
        return TcpListener::bind(any)
            .await
            .map(Some)
            .map_err(|error| refused(any, "PROMETHEUS_PORT", &error));
    }
    let hint = "set PROMETHEUS_PORT to another port (0 takes any free one), or PROMETHEUS_ENABLED=false";
    Err(refused(address, "PROMETHEUS_PORT", &error).hint(hint))
}

/// Without an identity whoever reaches a server may do everything.
fn open_to_all(ip: IpAddr) -> Failure {
    Failure::wrong_use(format!(
        "HOST is {ip}, and without SECRET_KEY everybody who reaches this server could read and change everything"
    ))
    .hint("set SECRET_KEY (`openssl rand -hex 32` prints a good one) and give keys to callers: `chat keys create`")
    .hint("or leave HOST at 127.0.0.1, which only this machine reaches")
}

fn refused(address: SocketAddr, setting: &str, error: &io::Error) -> Failure {
    let (ip, port) = (address.ip(), address.port());
    Failure::new(match error.kind() {
        ErrorKind::AddrInUse => {
            format!("port {port} ({setting}) is taken: another program listens on {address}")
        }
        ErrorKind::PermissionDenied => format!("port {port} ({setting}) is not allowed to this user"),
        ErrorKind::AddrNotAvailable => format!("HOST is {ip}, which is no address of this machine"),
        _ => format!("{address} ({setting}) cannot be listened on: {error}"),
    })
}

/// The address as this machine reaches it: "every interface" is no address to connect to.
pub(super) fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_is_reached_over_loopback() {
        let reached = |address: &str| address.parse().map(url).unwrap_or_default();
        assert_eq!(reached("0.0.0.0:8000"), "http://127.0.0.1:8000");
        assert_eq!(reached("[::]:8000"), "http://[::1]:8000");
        assert_eq!(reached("192.0.2.7:80"), "http://192.0.2.7:80");
    }
}
