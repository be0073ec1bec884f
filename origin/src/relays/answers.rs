//! What a relay asks, answered in tasks of their own: pieces of the past, and viewers' API calls.

use std::sync::Arc;

use common::{
    link::fetch,
    wire::request::{FetchReply, FetchRequest},
};
use metrics::counter;
use node::{link_driver::IncomingRequest, live::Live};
use tokio::task::JoinSet;

use super::{AllowedRelay, ViaRelay, calls, listener::Context, watched::Watched};

/// Starts to answer among `tasks`.
pub(super) fn answer(
    request: IncomingRequest,
    context: &Arc<Context>,
    watched: &Watched,
    relay: &AllowedRelay,
    tasks: &mut JoinSet<()>,
) {
    match request {
        IncomingRequest::Fetch(request, responder) => {
            let live = media(&request, context, watched);
            let found = live.and_then(|live| {
                live.read(|windows| windows.get(request.epoch).map(|window| fetch::answer(window, &request)))
            });
            let (reply, rope) = found.unwrap_or((FetchReply::Gone, Vec::new()));
            tasks.spawn(async move {
                if let Err(error) = responder.answer(&reply, rope).await {
                    tracing::debug!(%error, "a fetch was not answered");
                }
            });
        }
        IncomingRequest::Call(call, responder) => {
            let via = ViaRelay {
                id: relay.id.clone(),
                name: relay.name.clone(),
            };
            let router = context.calls.clone();
            counter!("streamcircle_link_calls_total").increment(1);
            tasks.spawn(async move {
                let reply = calls::answer(router, call, via).await;
                if let Err(error) = responder.reply(&reply).await {
                    tracing::debug!(%error, "a call was not answered");
                }
            });
        }
    }
}

/// A rung that the relay does not follow is not made for a fetch.
fn media(request: &FetchRequest, context: &Context, watched: &Watched) -> Option<Arc<Live>> {
    let channel = &request.channel;
    let followed = watched.media(channel).cloned();
    followed.or_else(|| {
        let source = channel.rung.is_none().then(|| context.rooms.live(channel));
        source.flatten().map(|followed| followed.live)
    })
}
