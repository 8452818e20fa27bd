//! Where a message goes: `!id:server`, or `#alias:server`.

/// The host lets one attempt make ten requests: a login, a logout, and two for each room.
pub(crate) const ROOMS_MAX: usize = 4;
/// The specification's limit of identifiers.
const ROOM_BYTES_MAX: usize = 255;

/// Reads a list; the error goes on after the name of what was read.
pub(crate) fn rooms(text: &str) -> Result<Vec<String>, String> {
    let words = text.split(|char: char| char.is_whitespace() || char == ',').filter(|word| !word.is_empty());
    let rooms = words.map(room).collect::<Result<Vec<_>, _>>()?;
    if rooms.len() > ROOMS_MAX {
        return Err(format!("must name at most {ROOMS_MAX} rooms"));
    }
    Ok(rooms)
}

/// Since version 12 of rooms an ID has no server.
fn room(word: &str) -> Result<String, String> {
    let is_id = word.strip_prefix('!').is_some_and(|rest| !rest.is_empty());
    let is_alias = word
        .strip_prefix('#')
        .and_then(|rest| rest.split_once(':'))
        .is_some_and(|(alias, server)| !alias.is_empty() && !server.is_empty());
    if (is_id || is_alias) && word.len() <= ROOM_BYTES_MAX && !word.chars().any(char::is_control) {
        Ok(word.to_owned())
    } else {
        Err(format!("has `{}`; write `!id:server` or `#alias:server`", word.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_ids_or_aliases() {
        let check = |text: &str, want: &str| {
            assert_eq!(rooms(text).map_or_else(|error| error, |rooms| rooms.join(" ")), want, "{text}");
        };
        check("", "");
        check("!a:x.example,#ops:x.example\n!v12", "!a:x.example #ops:x.example !v12");
        for word in ["ops", "#ops", "#:x", "!", "@jdoe:x.example"] {
            check(word, &format!("has `{word}`; write `!id:server` or `#alias:server`"));
        }
        check("!a !b !c !d !e", "must name at most 4 rooms");
    }
}
