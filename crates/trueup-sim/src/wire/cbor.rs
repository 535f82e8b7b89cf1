//! CBOR (RFC 8949) as far as RPC v2 uses it, to and from JSON.

use serde_json::{Map, Number, Value};

/// Deeper values are refused, so that no request can exhaust the stack.
const DEPTH_MAX: usize = 64;

/// Reads one value. Times (tag 1) become their seconds, byte strings their text.
///
/// # Errors
/// Where and how it is not CBOR.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?.ok_or("a break without a container")?;
    if reader.at == bytes.len() { Ok(value) } else { Err(format!("bytes after the value at {}", reader.at)) }
}

/// Writes one value, with definite lengths.
pub fn render(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value);
    bytes
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// `None` is the break that ends what has no length.
    fn value(&mut self, depth: usize) -> Result<Option<Value>, String> {
        if depth > DEPTH_MAX {
            return Err(format!("nested too deeply at {}", self.at));
        }
        let head = self.take(1)?[0];
        let (major, minor) = (head >> 5, head & 0x1f);
        if head == 0xff {
            return Ok(None);
        }
        if major == 7 {
            return self.simple(minor).map(Some);
        }
        let argument = self.argument(minor)?;
        let value = match (major, argument) {
            (0, Some(number)) => Value::from(number),
            (1, Some(number)) => i64::try_from(number).map_or(Value::Null, |number| Value::from(-1 - number)),
            (2 | 3, length) => Value::String(self.text(length, depth)?),
            (4, length) => {
                let mut items = Vec::new();
                while length.is_none_or(|length| (items.len() as u64) < length) {
                    match self.value(depth + 1)? {
                        Some(item) => items.push(item),
                        None if length.is_none() => break,
                        None => return Err(self.cut()),
                    }
                }
                Value::Array(items)
            }
            (5, length) => {
                let mut members = Map::new();
                let mut read = 0;
                while length.is_none_or(|length| read < length) {
                    match self.value(depth + 1)? {
                        Some(Value::String(name)) => {
                            let member = self.value(depth + 1)?.ok_or_else(|| self.cut())?;
                            members.insert(name, member);
                        }
                        None if length.is_none() => break,
                        _ => return Err(format!("a key that is not text before {}", self.at)),
                    }
                    read += 1;
                }
                Value::Object(members)
            }
            // A tag: what it says of the value (1: a time in seconds) the member's name says as well.
            (6, Some(_)) => self.value(depth + 1)?.ok_or_else(|| self.cut())?,
            _ => return Err(format!("an indefinite number before {}", self.at)),
        };
        Ok(Some(value))
    }

    fn simple(&mut self, minor: u8) -> Result<Value, String> {
        Ok(match minor {
            20 => Value::Bool(false),
            21 => Value::Bool(true),
            22 | 23 => Value::Null,
            25 => float(half(u16::from_be_bytes(self.array()?))),
            26 => float(f64::from(f32::from_be_bytes(self.array()?))),
            27 => float(f64::from_be_bytes(self.array()?)),
            other => return Err(format!("simple value {other} before {}", self.at)),
        })
    }

    /// The number in or after a head; `None` when it is indefinite.
    fn argument(&mut self, minor: u8) -> Result<Option<u64>, String> {
        Ok(Some(match minor {
            0..=23 => u64::from(minor),
            24 => u64::from(u8::from_be_bytes(self.array()?)),
            25 => u64::from(u16::from_be_bytes(self.array()?)),
            26 => u64::from(u32::from_be_bytes(self.array()?)),
            27 => u64::from_be_bytes(self.array()?),
            31 => return Ok(None),
            other => return Err(format!("additional information {other} before {}", self.at)),
        }))
    }

    fn text(&mut self, length: Option<u64>, depth: usize) -> Result<String, String> {
        let Some(length) = length else {
            let mut text = String::new();
            while let Some(part) = self.value(depth + 1)? {
                text.push_str(part.as_str().ok_or_else(|| self.cut())?);
            }
            return Ok(text);
        };
        let length = usize::try_from(length).map_err(|_| self.cut())?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len()).ok_or_else(|| self.cut())?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn cut(&self) -> String {
        format!("cut at {}", self.at)
    }
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let exponent = i32::from((bits >> 10) & 0x1f);
    let mantissa = f64::from(bits & 0x3ff);
    let size = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

/// JSON has no infinities; they are named, as AWS's JSON does.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(
        || {
            Value::from(if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            })
        },
        Value::Number,
    )
}

fn write(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(false) => bytes.push(0xf4),
        Value::Bool(true) => bytes.push(0xf5),
        Value::Number(number) => {
            if let Some(number) = number.as_u64() {
                head(bytes, 0, number);
            } else if let Some(number) = number.as_i64() {
                head(bytes, 1, number.unsigned_abs() - 1);
            } else {
                bytes.push(0xfb);
                bytes.extend(number.as_f64().unwrap_or(f64::NAN).to_be_bytes());
            }
        }
        Value::String(text) => {
            head(bytes, 3, text.len() as u64);
            bytes.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(bytes, 4, items.len() as u64);
            for item in items {
                write(bytes, item);
            }
        }
        Value::Object(members) => {
            head(bytes, 5, members.len() as u64);
            for (name, member) in members {
                head(bytes, 3, name.len() as u64);
                bytes.extend(name.as_bytes());
                write(bytes, member);
            }
        }
    }
}

fn head(bytes: &mut Vec<u8>, major: u8, number: u64) {
    let big_endian = number.to_be_bytes();
    let (minor, tail): (u8, &[u8]) = match number {
        0..=23 => (big_endian[7], &[]),
        24..=0xff => (24, &big_endian[7..]),
        0x100..=0xffff => (25, &big_endian[6..]),
        0x1_0000..=0xffff_ffff => (26, &big_endian[4..]),
        _ => (27, &big_endian),
    };
    bytes.push(major << 5 | minor);
    bytes.extend(tail);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{parse, render};

    #[test]
    fn what_is_rendered_reads_back() {
        for value in [
            json!(null),
            json!(true),
            json!([0, 23, 24, 255, 256, 65535, 65536, 4_294_967_296_u64, -1, -24, -25, -300, 1.5]),
            json!({"Namespace": "Trueup", "MetricData": [{"MetricName": "Drift", "Value": 0.25, "Dimensions": []}]}),
        ] {
            assert_eq!(parse(&render(&value)).unwrap(), value);
        }
    }

    #[test]
    fn the_examples_of_rfc_8949_read_as_they_should() {
        for (bytes, value) in [
            (&b"\xc1\x1a\x51\x4b\x67\xb0"[..], json!(1_363_896_240)),
            (b"\xc1\xfb\x41\xd4\x52\xd9\xec\x20\x00\x00", json!(1_363_896_240.5)),
            (b"\xf9\x3e\x00", json!(1.5)),
            (b"\xf9\x7c\x00", json!("Infinity")),
            (b"\xfa\x47\xc3\x50\x00", json!(100_000.0)),
            (b"\x7f\x65strea\x64ming\xff", json!("streaming")),
            (b"\xbf\x61a\x01\x61b\x9f\x02\x03\xff\xff", json!({"a": 1, "b": [2, 3]})),
        ] {
            assert_eq!(parse(bytes).unwrap(), value, "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_cut_or_too_deep_is_refused() {
        for bytes in [
            &b""[..],
            b"\x62a",
            b"\x82\x01",
            b"\x01\x01",
            b"\xff",
            b"\xa1\x01\x02",
            &[0x81; 100],
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(parse(bytes).is_err(), "{bytes:x?}");
        }
    }
}
