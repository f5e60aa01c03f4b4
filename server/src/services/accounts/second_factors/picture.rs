//! The picture that an authenticator app reads, as the path of an SVG of our own.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// What the app is given: whose code it is, and the secret.
pub fn address(organization: &str, email: &str, secret: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let issuer = encode(&format!("Keystead {organization}"));
    format!("otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}", encode(email))
}

/// The dark squares as one path, and how many squares the picture is wide. `None` if the text does not fit into one.
pub fn drawn(text: &str) -> Option<(String, usize)> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let _ = write!(path, "M{} {}h1v1h-1z", at % width, at / width);
        }
    }
    Some((path, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_names_organization_and_person() {
        let address = address("Northwind Labs", "ada@example.com", "ABC");
        assert_eq!(
            address,
            "otpauth://totp/Keystead%20Northwind%20Labs:ada%40example%2Ecom?secret=ABC&issuer=Keystead%20Northwind%20Labs"
        );
        let (path, width) = drawn(&address).unwrap();
        assert!(path.starts_with("M0 0h1v1h-1z") && width >= 21);
    }
}
