use std::{pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::{either::Either, sync::CancellationToken};
use tower::Layer as _;

use super::tls::Certificate;
use crate::authentication::Peer;

/// The longest time in which the head of a request may come; also the longest silence between two requests.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// A connection of either kind.
pub(super) type Stream = Either<TcpStream, UnixStream>;

/// Answers the requests of one connection; after `stop` the one that is open, and no other.
///
/// TCP is encrypted where there is a certificate, the Unix socket never is.
pub(super) async fn serve(
    stream: Stream,
    certificate: Option<Arc<Certificate>>,
    peer: Peer,
    service: Router,
    stop: CancellationToken,
) {
    let stream = match (stream, certificate) {
        (Either::Left(tcp), Some(certificate)) => match certificate.greet(tcp).await {
            Ok(stream) => Either::Left(Either::Left(stream)),
            Err(error) => return tracing::debug!(%error, "a client did not shake hands"),
        },
        (Either::Left(tcp), None) => Either::Left(Either::Right(tcp)),
        (Either::Right(unix), _) => Either::Right(unix),
    };
    let service = Extension(peer).layer(service);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
