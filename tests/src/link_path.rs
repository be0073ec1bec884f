//! The way of a relay's link through the network, which can be cut: datagrams in both directions pass here, or are lost.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;
use tokio::{net::UdpSocket, task::JoinHandle};

/// Larger than any datagram of QUIC.
const MAX_DATAGRAM: usize = 65_536;

#[derive(Debug)]
pub struct LinkPath {
    /// Where the relay finds the origin.
    pub address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl LinkPath {
    pub async fn to(origin: SocketAddr) -> Result<Self> {
        let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = front.local_addr()?;
        let is_cut = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(carry(front, origin, Arc::clone(&is_cut)));
        Ok(Self { address, is_cut, task })
    }

    /// From now on everything is lost.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
    }

    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::Relaxed);
    }
}

impl Drop for LinkPath {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A socket towards the origin, and the task that carries back what comes to it.
struct Flow {
    back: Arc<UdpSocket>,
    answers: JoinHandle<()>,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.answers.abort();
    }
}

async fn carry(front: Arc<UdpSocket>, origin: SocketAddr, is_cut: Arc<AtomicBool>) {
    let mut flows: HashMap<SocketAddr, Flow> = HashMap::new();
    let mut datagram = vec![0; MAX_DATAGRAM];
    loop {
        // An error here is an ICMP message about an earlier datagram.
        let Ok((len, relay)) = front.recv_from(&mut datagram).await else {
            continue;
        };
        if let std::collections::hash_map::Entry::Vacant(place) = flows.entry(relay) {
            let Ok(flow) = flow(&front, relay, origin, &is_cut).await else {
                continue;
            };
            place.insert(flow);
        }
        if !is_cut.load(Ordering::Relaxed) {
            // Lost is fine.
            let _ = flows[&relay].back.send(&datagram[..len]).await;
        }
    }
}

async fn flow(front: &Arc<UdpSocket>, relay: SocketAddr, origin: SocketAddr, is_cut: &Arc<AtomicBool>) -> Result<Flow> {
    let back = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    back.connect(origin).await?;
    let (front, from, is_cut) = (Arc::clone(front), Arc::clone(&back), Arc::clone(is_cut));
    let answers = tokio::spawn(async move {
        let mut datagram = vec![0; MAX_DATAGRAM];
        loop {
            let Ok(len) = from.recv(&mut datagram).await else {
                continue;
            };
            if !is_cut.load(Ordering::Relaxed) {
                let _ = front.send_to(&datagram[..len], relay).await;
            }
        }
    });
    Ok(Flow { back, answers })
}
