//! The chat of a room's page, as a person uses it: by labels and roles.

use std::{path::Path, time::Duration};

use anyhow::{Result, bail};
use fantoccini::Locator;
use serde_json::{Value, json};

use crate::{browser::Browser, player, process::wait_for};

const SOON: Duration = Duration::from_secs(10);
/// Enter, in WebDriver's alphabet.
const ENTER: &str = "\u{e007}";

/// A page that joined a room's chat.
#[derive(Debug)]
pub struct ChatPage {
    pub browser: Browser,
    name: String,
}

impl ChatPage {
    /// A new browser follows an invite link.
    pub async fn open(invite_url: &str, nickname: &str) -> Result<Self> {
        let browser = Browser::start().await?;
        player::open_invite(&browser, invite_url, nickname).await?;
        let page = Self {
            browser,
            name: nickname.to_owned(),
        };
        page.wait_for(
            "the open chat",
            "return document.querySelector('section[data-state=open]') !== null",
        )
        .await?;
        Ok(page)
    }

    /// Types a message and sends it.
    pub async fn say(&self, text: &str) -> Result<()> {
        let field = Locator::Css("section[data-state] textarea");
        let field = self.browser.client.wait().at_most(SOON).for_element(field).await?;
        field.send_keys(&format!("{text}{ENTER}")).await?;
        Ok(())
    }

    /// Waits until a message with this text stands in the list; gives its id.
    pub async fn hear(&self, text: &str) -> Result<i64> {
        let what = format!("message {text:?}");
        let script = format!(
            "const row = [...document.querySelectorAll('[data-message-id]')].find((row) => row.innerText.includes({}));
             return row ? Number(row.dataset.messageId) : null",
            json!(text)
        );
        Ok(self.wait_for(&what, &script).await?.as_i64().unwrap_or_default())
    }

    /// Ids of the messages in the list, in its order.
    pub async fn ids(&self) -> Result<Value> {
        self.browser
            .run("return [...document.querySelectorAll('[data-message-id]')].map((row) => Number(row.dataset.messageId))")
            .await
    }

    /// What stands in a message's row now.
    pub async fn wait_for_row(&self, id: i64, text: &str) -> Result<()> {
        let script = format!(
            "return document.querySelector('[data-message-id=\"{id}\"]')?.innerText.includes({}) === true",
            json!(text)
        );
        self.wait_for(&format!("{text:?} in message {id}"), &script).await?;
        Ok(())
    }

    /// Opens a message's menu by keyboard and chooses.
    pub async fn choose(&self, id: i64, item: &str) -> Result<()> {
        let row = format!("[data-message-id=\"{id}\"]");
        self.browser
            .run(&format!("document.querySelector('{row}').focus()"))
            .await?;
        self.browser.client.active_element().await?.send_keys(ENTER).await?;
        self.click("[role=menu] [role=menuitem]", item).await
    }

    /// Clicks the element that `selector` finds and whose text or label is this.
    pub async fn click(&self, selector: &str, text: &str) -> Result<()> {
        let script = format!(
            "const found = [...document.querySelectorAll({})].find((element) =>
               (element.ariaLabel ?? element.innerText).trim() === {});
             found?.click(); return found !== undefined",
            json!(selector),
            json!(text)
        );
        self.wait_for(&format!("{selector} {text:?}"), &script).await?;
        Ok(())
    }

    /// Runs JavaScript until it gives something true; gives that.
    pub async fn wait_for(&self, what: &str, script: &str) -> Result<Value> {
        let found = wait_for(what, SOON, async || {
            let value = self.browser.run(script).await.ok()?;
            (!value.is_null() && value != false).then_some(value)
        })
        .await;
        match found {
            Ok(value) => Ok(value),
            Err(_) => bail!(
                "{}'s page: no {what} within {SOON:?}; it says: {}",
                self.name,
                self.browser.run("return document.body.innerText").await?
            ),
        }
    }

    /// Saves what the page looks like under `name` in `folder`.
    pub async fn screenshot(&self, folder: &Path, name: &str) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        self.browser.screenshot(&folder.join(format!("{name}.png"))).await
    }
}
