use proptest::prelude::*;

use super::*;

fn nested_arrays(levels: usize) -> Vec<u8> {
    let mut bytes = [STRICT_ARRAY, 0, 0, 0, 1].repeat(levels);
    bytes.push(NULL);
    bytes
}

#[test]
fn eight_levels_are_taken_and_nine_are_not() {
    assert!(decode(&nested_arrays(8)).is_ok());
    assert_eq!(decode(&nested_arrays(9)), Err(Amf0Error::TooDeep { offset: 40 }));
}

#[test]
fn six_thousand_nested_arrays_are_refused_without_recursion() {
    assert!(matches!(decode(&nested_arrays(6000)), Err(Amf0Error::TooDeep { .. })));
}

#[test]
fn five_hundred_and_twelve_values_are_taken_and_one_more_is_not() {
    assert_eq!(decode(&[NULL; MAX_VALUES]).unwrap().len(), MAX_VALUES);
    assert_eq!(
        decode(&[NULL; MAX_VALUES + 1]),
        Err(Amf0Error::TooManyValues { offset: MAX_VALUES })
    );
}

#[test]
fn an_array_that_claims_four_billion_elements_is_refused() {
    assert_eq!(
        decode(&[STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff, NULL]),
        Err(Amf0Error::TooManyElements { offset: 0 })
    );
}

#[test]
fn an_object_of_more_than_256_properties_is_refused() {
    let mut bytes = vec![OBJECT];
    bytes.extend([0, 1, b'a', NULL].repeat(MAX_ELEMENTS + 1));
    bytes.extend([0, 0, OBJECT_END]);
    assert_eq!(decode(&bytes), Err(Amf0Error::TooManyElements { offset: 1 }));
}

#[test]
fn a_string_longer_than_the_message_is_refused() {
    assert_eq!(
        decode(&[LONG_STRING, 0x7f, 0xff, 0xff, 0xff, b'a']),
        Err(Amf0Error::Truncated { offset: 5 })
    );
}

#[test]
fn rare_types_are_read_over() {
    let mut bytes = vec![DATE];
    bytes.extend(1_000.0_f64.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend([XML, 0, 0, 0, 2, b'<', b'>']);
    bytes.extend([UNDEFINED, UNSUPPORTED, REFERENCE, 0, 1]);
    bytes.extend([TYPED_OBJECT, 0, 1, b'T', 0, 1, b'p', NULL, 0, 0, OBJECT_END]);
    bytes.extend([ECMA_ARRAY, 0, 0, 0, 9, 0, 1, b'q', BOOLEAN, 1, 0, 0, OBJECT_END]);
    assert_eq!(
        decode(&bytes).unwrap(),
        [
            Value::Date(1_000.0),
            Value::string("<>"),
            Value::Undefined,
            Value::Undefined,
            Value::Undefined,
            Value::Object(vec![("p".to_owned(), Value::Null)]),
            Value::Object(vec![("q".to_owned(), Value::Boolean(true))]),
        ]
    );
}

#[test]
fn a_property_without_a_name_is_not_the_end() {
    let bytes = [OBJECT, 0, 0, NULL, 0, 0, OBJECT_END];
    assert_eq!(
        decode(&bytes).unwrap(),
        [Value::Object(vec![(String::new(), Value::Null)])]
    );
}

#[test]
fn amf3_is_named_in_the_error() {
    assert_eq!(
        decode(&[0x11, 0x04]),
        Err(Amf0Error::Marker {
            marker: 0x11,
            offset: 0
        })
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(|number| Value::Number(number.into())),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,12}".prop_map(Value::String),
        any::<u32>().prop_map(|at| Value::Date(at.into())),
        Just(Value::Null),
        Just(Value::Undefined),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("[a-z]{1,8}", inner), 0..4).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(values in prop::collection::vec(any_value(), 0..6)) {
        prop_assert_eq!(decode(&encode(&values)).unwrap(), values);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_markers_are_decoded_or_refused(bytes in prop::collection::vec(0_u8..=0x11, 0..400)) {
        let _ = decode(&bytes);
    }
}

/// The decoder that most clients of this protocol in Rust use reads our replies the same way.
#[test]
fn another_decoder_reads_what_we_encode() {
    let values = [
        Value::string("_result"),
        Value::Number(1.0),
        Value::Null,
        Value::Object(vec![
            ("code".to_owned(), Value::string("NetConnection.Connect.Success")),
            ("list".to_owned(), Value::Array(vec![Value::string("avc1")])),
        ]),
    ];
    let read = rml_amf0::deserialize(&mut std::io::Cursor::new(encode(&values))).unwrap();
    assert_eq!(read[0], rml_amf0::Amf0Value::Utf8String("_result".to_owned()));
    assert_eq!(read[2], rml_amf0::Amf0Value::Null);
    let rml_amf0::Amf0Value::Object(properties) = &read[3] else {
        panic!("an object was encoded")
    };
    assert_eq!(
        properties["list"],
        rml_amf0::Amf0Value::StrictArray(vec![rml_amf0::Amf0Value::Utf8String("avc1".to_owned())])
    );
}
