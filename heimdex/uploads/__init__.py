"""The upload flow that videos and photos share: announce a file, PUT its bytes to the storage, complete the upload."""
