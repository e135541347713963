use data_encoding::BASE64;

use crate::sites::chance::Chance;

/// A transferable public key (RFC 4880, section 11.1) in ASCII armour: a version 4 RSA key of 2048 bits, one user id, one certification.
/// The numbers are random: everything parses, and no signature verifies.
pub(crate) fn public_key_block(chance: &mut Chance, user: &str) -> String {
    let created = u32::try_from(chance.between(1_830_000_000, 1_920_000_000)).unwrap_or_default().to_be_bytes();
    let mut key = vec![4];
    key.extend(created);
    key.push(1);
    key.extend(number(chance));
    key.extend([0, 17, 1, 0, 1]);
    let mut block = packet(6, &key);
    block.extend(packet(13, user.as_bytes()));
    block.extend(packet(2, &certification(chance, created)));
    armour(&block)
}

/// A positive certification of a user id by RSA with SHA-256, with its creation time and the issuer's key id.
fn certification(chance: &mut Chance, created: [u8; 4]) -> Vec<u8> {
    let mut body = vec![4, 0x13, 1, 8];
    let mut hashed = vec![5, 2];
    hashed.extend(created);
    let mut unhashed = vec![9, 16];
    unhashed.extend(chance.bytes::<8>());
    for area in [hashed, unhashed] {
        body.extend(u16::try_from(area.len()).unwrap_or_default().to_be_bytes());
        body.extend(area);
    }
    body.extend(chance.bytes::<2>());
    body.extend(number(chance));
    body
}

/// A multiprecision integer of 2048 bits.
fn number(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = chance.bytes::<256>();
    bytes[0] |= 0x80;
    bytes[255] |= 1;
    let mut number = 2048_u16.to_be_bytes().to_vec();
    number.extend(bytes);
    number
}

/// A packet with a header in the new format (RFC 4880, section 4.2.2).
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0xc0 | tag];
    match u16::try_from(body.len()).unwrap_or(u16::MAX) {
        short @ 0..192 => packet.push(short.to_be_bytes()[1]),
        long => {
            let [high, low] = (long - 192).to_be_bytes();
            packet.extend([high + 192, low]);
        }
    }
    packet.extend(body);
    packet
}

fn armour(bytes: &[u8]) -> String {
    let text = BASE64.encode(bytes);
    let mut block = String::from("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        block.push_str(line);
        block.push('\n');
        rest = after;
    }
    let [_, sum @ ..] = crc24(bytes).to_be_bytes();
    block.push_str(&format!("={}\n-----END PGP PUBLIC KEY BLOCK-----", BASE64.encode(&sum)));
    block
}

/// The checksum of ASCII armour (RFC 4880, section 6.1).
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 16), |sum, _| {
            let doubled = sum << 1;
            if doubled & 0x0100_0000 == 0 { doubled } else { doubled ^ 0x0186_4cfb }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-24/OPENPGP in the usual catalogues of checksums.
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }

    #[test]
    fn the_packets_fill_the_block_exactly() {
        let block = public_key_block(&mut Chance::of(1, "key", 0), "amberheron41 <amberheron41@post.example>");
        let body: String = block.lines().skip(2).take_while(|line| !line.starts_with('=')).collect();
        let bytes = BASE64.decode(body.as_bytes()).unwrap();
        let sum = block.lines().find_map(|line| line.strip_prefix('=')).unwrap();
        assert_eq!(BASE64.decode(sum.as_bytes()).unwrap(), crc24(&bytes).to_be_bytes()[1..]);

        let (mut at, mut tags) = (0, Vec::new());
        while at < bytes.len() {
            tags.push(bytes[at] & 0x3f);
            let first = usize::from(bytes[at + 1]);
            at += if first < 192 { 2 + first } else { 3 + (first - 192) * 256 + usize::from(bytes[at + 2]) + 192 };
        }
        assert_eq!((at, tags), (bytes.len(), vec![6, 13, 2]));
    }
}
