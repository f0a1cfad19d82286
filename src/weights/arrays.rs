//! A module's parameters by name, outside any device.

use std::collections::BTreeMap;

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::TensorData;

use super::WeightsError;

/// A tensor's shape and its values, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Parameters under the path of their fields, joined by dots.
pub type Arrays = BTreeMap<String, Array>;

/// Reads every parameter of a module back from its device (native only: a browser cannot wait).
pub fn arrays_of<M: Module>(module: &M) -> Arrays {
    let mut collector = Collector { path: Path::default(), arrays: Arrays::new() };
    module.visit(&mut collector);
    collector.arrays
}

/// Gives every parameter of a module its value.
///
/// # Errors
/// If a parameter has no array or one of another shape, or an array no parameter.
pub fn fill<M: Module>(module: M, arrays: Arrays) -> Result<M, WeightsError> {
    let mut filler = Filler { path: Path::default(), arrays, error: None };
    let module = module.map(&mut filler);
    if let Some(error) = filler.error {
        return Err(error);
    }
    match filler.arrays.into_keys().next() {
        Some(unused) => Err(WeightsError::Unused(unused)),
        None => Ok(module),
    }
}

/// Where in a module a visitor is. The variants of an enum are no part of a name: they follow from the header.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.push(name.to_string());
        }
    }

    fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.pop();
        }
    }

    fn name(&self) -> String {
        self.0.join(".")
    }
}

struct Collector {
    path: Path,
    arrays: Arrays,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().iter::<f32>().collect();
        self.arrays.insert(self.path.name(), Array { shape, values });
    }
}

struct Filler {
    path: Path,
    arrays: Arrays,
    error: Option<WeightsError>,
}

impl ModuleMapper for Filler {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let name = self.path.name();
        let expected = param.lazy_shape().to_vec();
        match self.arrays.remove(&name) {
            Some(array) if array.shape == expected => {
                let data = TensorData::new(array.values, array.shape);
                let (id, tensor) = (param.id, Tensor::from_data(data, &param.lazy_device()));
                param.transform_for_load(tensor, id)
            }
            Some(Array { shape: found, .. }) => {
                self.error = Some(WeightsError::Shape { name, expected, found });
                param
            }
            None => {
                self.error = Some(WeightsError::Missing(name));
                param
            }
        }
    }
}
