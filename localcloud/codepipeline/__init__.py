"""CodePipeline: pipelines are kept and really carried out, stage by stage."""
