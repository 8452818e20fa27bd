//! A title and a body of the operator's own, as Go templates with Diun's helpers.

use sandbell_go_template::{Functions, Template};
use sandbell_sdk::{ConfigError, Notification, SendError};

use super::diun_data;

/// What the options `template_title` and `template_body` hold; without a template the channel has its own text.
#[derive(Default)]
pub struct GoText {
    title: Option<Template>,
    body: Option<Template>,
}

/// What the templates made of one notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnText {
    pub title: Option<String>,
    pub body: Option<String>,
}

impl GoText {
    /// Parses both, each without the blanks around it; `escapeMarkdown` is for the channels in which Diun has it.
    pub fn new(title: Option<&str>, body: Option<&str>, has_escape: bool) -> Result<Self, ConfigError> {
        let functions = Functions::new().with_json().with_text_helpers();
        let functions = if has_escape { functions.with_escape_markdown() } else { functions };
        let parse = |what: &str, text: Option<&str>| {
            let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
            Template::parse_with(what, text, functions.clone()).map(Some).map_err(|error| {
                let message = format!("cannot parse {what} template: {error}");
                ConfigError::option(&format!("template_{what}"), message)
            })
        };
        Ok(Self { title: parse("title", title)?, body: parse("body", body)? })
    }

    /// The operator's title and body, as far as there are some.
    pub fn own(&self, notification: &Notification) -> Result<OwnText, SendError> {
        Ok(OwnText { title: self.title(notification)?, body: self.body(notification)? })
    }

    /// The operator's title, if there is one.
    pub fn title(&self, notification: &Notification) -> Result<Option<String>, SendError> {
        render("title", self.title.as_ref(), notification)
    }

    /// The operator's body, if there is one.
    pub fn body(&self, notification: &Notification) -> Result<Option<String>, SendError> {
        render("body", self.body.as_ref(), notification)
    }
}

fn render(
    what: &str,
    template: Option<&Template>,
    notification: &Notification,
) -> Result<Option<String>, SendError> {
    let Some(template) = template else { return Ok(None) };
    let text = template.render(&diun_data(notification));
    text.map(Some).map_err(|error| SendError::config(format!("cannot render notif {what}: {error}")))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::testing::diun;

    fn body(text: &str, notification: &Notification) -> String {
        match GoText::new(None, Some(text), true) {
            Ok(text) => {
                text.body(notification).map_or_else(|error| error.to_string(), Option::unwrap_or_default)
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn diuns_own_templates_work() {
        let text = r#"Docker tag {{ if .Entry.Image.HubLink }}[**{{ .Entry.Image }}**]({{ .Entry.Image.HubLink }}){{ else }}**{{ .Entry.Image }}**{{ end }} which you subscribed to through {{ .Entry.Provider }} provider {{ if (eq .Entry.Status "new") }}is available{{ else }}has been updated{{ end }} on {{ .Entry.Image.Domain }} registry (triggered by {{ escapeMarkdown .Meta.Hostname }} host)."#;
        assert_snapshot!(body(text, &diun("new")), @"Docker tag [**docker.io/library/alpine:latest**](https://hub.docker.com/_/alpine) which you subscribed to through docker provider is available on docker.io registry (triggered by myserver host).");
        assert_snapshot!(body(r#" {{ .Entry.Manifest.Created.Format "Jan 02, 2006" }} {{ .Meta.ID }} {{ .Entry.Image.Tag | upper }} {{ .Entry.Metadata.ctn_names }} "#, &diun("new")), @"Mar 26, 2020 diun LATEST web_1");
        assert_snapshot!(body(r#"{{ regexReplaceAll "(library)" "<$1>" .Entry.Image.Path }}"#, &diun("new")), @"<library>/alpine");
    }

    #[test]
    fn another_source_has_the_same_shape_and_icingas_words() {
        let mut notification = Notification::example();
        notification.source.system = "api".to_owned();
        assert_snapshot!(body("{{ .Entry.Image }} {{ .Entry.Provider }} {{ .Incident.Severity }} {{ .Event.Message }}", &notification), @"dummy-809!random fortune api crit Something <went> wrong & broke");
    }

    #[test]
    fn what_does_not_parse_or_does_not_fit_says_where() {
        assert_snapshot!(body("a\n{{ .Entry", &diun("new")), @"`template_body` cannot parse body template: template: body:2: unclosed action");
        assert_snapshot!(body("a\n{{ .Entry.Nope }}", &diun("new")), @r#"cannot render notif body: template: body:2:9: executing "body" at <.Entry.Nope>: can't evaluate field Nope in type model.NotifEntry"#);
        let error = GoText::new(Some("{{ escapeMarkdown 1 }}"), None, false).map(|_| ()).unwrap_err();
        assert_snapshot!(error, @r#"`template_title` cannot parse title template: template: title:1: function "escapeMarkdown" not defined"#);
        let none = GoText::new(Some(" "), None, false).unwrap();
        assert_eq!(none.title(&diun("new")), Ok(None));
    }
}
