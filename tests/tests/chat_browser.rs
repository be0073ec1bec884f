//! The web app's chat in two real browsers on two relays.

use std::path::Path;

use anyhow::{Result, ensure};
use e2e::{chat_page::ChatPage, party::Party};

async fn page(party: &Party, at: usize, nickname: &str, role: &str) -> Result<ChatPage> {
    let invite = party.invite(role).await?;
    let url = format!("{}/r/{}#invite={}", party.url(at), party.slug(), invite.token);
    ChatPage::open(&url, nickname).await
}

#[tokio::test]
async fn two_browsers_on_two_relays_chat_react_and_moderate_and_the_banned_one_is_told() -> Result<()> {
    let party = Party::start(1).await?;
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    let marthe = page(&party, 1, "Marthe", "moderator").await?;
    let theo = page(&party, 0, "Théo", "viewer").await?;

    marthe.say("Good evening <b>everybody</b>").await?;
    theo.hear("Good evening <b>everybody</b>").await?;
    theo.say("Bonsoir 🍿").await?;
    let welcome = marthe.hear("Bonsoir 🍿").await?;
    theo.say("spoiler: they marry").await?;
    let spoiler = marthe.hear("spoiler").await?;
    theo.hear("spoiler").await?;
    let (hers, his) = (marthe.ids().await?, theo.ids().await?);
    ensure!(hers == his, "{hers} and {his}");

    theo.click("[role=group] button[aria-label^=React]", "React with 🎉")
        .await?;
    marthe
        .wait_for(
            "Théo's reaction over the film",
            "return [...document.querySelectorAll('.animate-rise')].some((sign) => sign.innerText === '🎉')",
        )
        .await?;
    marthe.screenshot(&screenshots, "chat-moderator").await?;

    marthe.choose(spoiler, "Delete").await?;
    theo.wait_for_row(spoiler, "removed by a moderator").await?;
    marthe.choose(welcome, "Silence for 1 minute").await?;
    theo.say("may I?").await?;
    theo.wait_for(
        "the refusal",
        "return document.body.innerText.includes('You are silenced for now')",
    )
    .await?;
    theo.screenshot(&screenshots, "chat-silenced").await?;

    marthe.choose(welcome, "Ban…").await?;
    marthe.click("dialog button[type=submit]", "Ban").await?;
    theo.wait_for(
        "word of the ban",
        "return document.querySelector('[role=alert]')?.innerText.includes('You were removed from this room')",
    )
    .await?;
    theo.screenshot(&screenshots, "chat-banned").await?;
    marthe.browser.close().await?;
    theo.browser.close().await
}
