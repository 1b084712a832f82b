"""The fields of KFP's messages, made of its protobufs by tests/unit/test_kfp_fields.py: not written by hand.

A field is `name:type`, `name:[type]` for a list or `name:{type}` for a mapping of names; `@group` behind it names a
group of which a message has at most one. A type is a message, or one of text, int, number, bool, any and enums
`A|B`. Sources:
https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
https://github.com/kubeflow/pipelines/blob/master/kubernetes_platform/proto/kubernetes_executor_config.proto
"""

MESSAGES = {
    "ArtifactIteratorSpec": """
        items:ArtifactIteratorSpec.ItemsSpec itemInput:text
    """,
    "ArtifactIteratorSpec.ItemsSpec": """
        inputArtifact:text
    """,
    "ArtifactTypeSchema": """
        schemaTitle:text@kind schemaUri:text@kind instanceSchema:text@kind schemaVersion:text
    """,
    "ComponentInputsSpec": """
        artifacts:{ComponentInputsSpec.ArtifactSpec} parameters:{ComponentInputsSpec.ParameterSpec}
    """,
    "ComponentInputsSpec.ArtifactSpec": """
        artifactType:ArtifactTypeSchema isArtifactList:bool isOptional:bool description:text
    """,
    "ComponentInputsSpec.ParameterSpec": """
        type:PRIMITIVE_TYPE_UNSPECIFIED|INT|DOUBLE|STRING
        parameterType:PARAMETER_TYPE_ENUM_UNSPECIFIED|NUMBER_DOUBLE|NUMBER_INTEGER|STRING|BOOLEAN|LIST|STRUCT|TASK_FINAL_STATUS|TASK_CONFIG
        defaultValue:any isOptional:bool description:text literals:[any]
    """,
    "ComponentOutputsSpec": """
        artifacts:{ComponentOutputsSpec.ArtifactSpec} parameters:{ComponentOutputsSpec.ParameterSpec}
    """,
    "ComponentOutputsSpec.ArtifactSpec": """
        artifactType:ArtifactTypeSchema properties:{ValueOrRuntimeParameter} customProperties:{ValueOrRuntimeParameter}
        metadata:any isArtifactList:bool description:text
    """,
    "ComponentOutputsSpec.ParameterSpec": """
        type:PRIMITIVE_TYPE_UNSPECIFIED|INT|DOUBLE|STRING
        parameterType:PARAMETER_TYPE_ENUM_UNSPECIFIED|NUMBER_DOUBLE|NUMBER_INTEGER|STRING|BOOLEAN|LIST|STRUCT|TASK_FINAL_STATUS|TASK_CONFIG
        description:text
    """,
    "ComponentRef": """
        name:text
    """,
    "ComponentSpec": """
        inputDefinitions:ComponentInputsSpec outputDefinitions:ComponentOutputsSpec dag:DagSpec@implementation
        executorLabel:text@implementation singlePlatformSpecs:[SinglePlatformSpec]
        taskConfigPassthroughs:[TaskConfigPassthrough]
    """,
    "ConfigMapAsEnv": """
        configMapName:text keyToEnv:[ConfigMapAsEnv.ConfigMapKeyToEnvMap]
        configMapNameParameter:TaskInputsSpec.InputParameterSpec optional:bool
    """,
    "ConfigMapAsEnv.ConfigMapKeyToEnvMap": """
        configMapKey:text envVar:text
    """,
    "ConfigMapAsVolume": """
        configMapName:text mountPath:text optional:bool configMapNameParameter:TaskInputsSpec.InputParameterSpec
    """,
    "DagOutputsSpec": """
        artifacts:{DagOutputsSpec.DagOutputArtifactSpec} parameters:{DagOutputsSpec.DagOutputParameterSpec}
    """,
    "DagOutputsSpec.ArtifactSelectorSpec": """
        producerSubtask:text outputArtifactKey:text
    """,
    "DagOutputsSpec.DagOutputArtifactSpec": """
        artifactSelectors:[DagOutputsSpec.ArtifactSelectorSpec]
    """,
    "DagOutputsSpec.DagOutputParameterSpec": """
        valueFromParameter:DagOutputsSpec.ParameterSelectorSpec@kind
        valueFromOneof:DagOutputsSpec.ParameterSelectorsSpec@kind
    """,
    "DagOutputsSpec.ParameterSelectorSpec": """
        producerSubtask:text outputParameterKey:text
    """,
    "DagOutputsSpec.ParameterSelectorsSpec": """
        parameterSelectors:[DagOutputsSpec.ParameterSelectorSpec]
    """,
    "DagSpec": """
        tasks:{PipelineTaskSpec} outputs:DagOutputsSpec
    """,
    "EmptyDirMount": """
        volumeName:text mountPath:text medium:text sizeLimit:text
    """,
    "EnabledSharedMemory": """
        volumeName:text size:text
    """,
    "FieldPathAsEnv": """
        name:text fieldPath:text
    """,
    "GenericEphemeralVolume": """
        volumeName:text mountPath:text accessModes:[text] size:text defaultStorageClass:bool storageClassName:text
        metadata:PodMetadata
    """,
    "ImagePullSecret": """
        secretName:text secretNameParameter:TaskInputsSpec.InputParameterSpec
    """,
    "KubernetesExecutorConfig": """
        secretAsVolume:[SecretAsVolume] secretAsEnv:[SecretAsEnv] pvcMount:[PvcMount] nodeSelector:NodeSelector
        podMetadata:PodMetadata imagePullSecret:[ImagePullSecret] imagePullPolicy:text
        configMapAsVolume:[ConfigMapAsVolume] configMapAsEnv:[ConfigMapAsEnv] activeDeadlineSeconds:int
        fieldPathAsEnv:[FieldPathAsEnv] tolerations:[Toleration] genericEphemeralVolume:[GenericEphemeralVolume]
        nodeAffinity:[NodeAffinityTerm] podAffinity:[PodAffinityTerm] enabledSharedMemory:EnabledSharedMemory
        emptyDirMounts:[EmptyDirMount] securityContext:SecurityContext
    """,
    "KubernetesWorkspaceConfig": """
        pvcSpecPatch:any
    """,
    "NodeAffinityTerm": """
        matchExpressions:[SelectorRequirement] matchFields:[SelectorRequirement] weight:int
        nodeAffinityJson:TaskInputsSpec.InputParameterSpec
    """,
    "NodeSelector": """
        labels:{text} nodeSelectorJson:TaskInputsSpec.InputParameterSpec
    """,
    "ParameterIteratorSpec": """
        items:ParameterIteratorSpec.ItemsSpec itemInput:text
    """,
    "ParameterIteratorSpec.ItemsSpec": """
        raw:text@kind inputParameter:text@kind
    """,
    "PipelineConfig": """
        resourceTtlOnCompletion:int workspace:WorkspaceConfig resourceTtlOnSuccess:int resourceTtlOnFailure:int
        activeDeadlineSeconds:int
    """,
    "PipelineDeploymentConfig": """
        executors:{PipelineDeploymentConfig.ExecutorSpec}
    """,
    "PipelineDeploymentConfig.AIPlatformCustomJobSpec": """
        customJob:any
    """,
    "PipelineDeploymentConfig.ExecutorSpec": """
        container:PipelineDeploymentConfig.PipelineContainerSpec@spec
        importer:PipelineDeploymentConfig.ImporterSpec@spec resolver:PipelineDeploymentConfig.ResolverSpec@spec
        customJob:PipelineDeploymentConfig.AIPlatformCustomJobSpec@spec
    """,
    "PipelineDeploymentConfig.ImporterSpec": """
        artifactUri:ValueOrRuntimeParameter typeSchema:ArtifactTypeSchema properties:{ValueOrRuntimeParameter}
        customProperties:{ValueOrRuntimeParameter} reimport:bool metadata:any downloadToWorkspace:bool
    """,
    "PipelineDeploymentConfig.PipelineContainerSpec": """
        image:text command:[text] args:[text] lifecycle:PipelineDeploymentConfig.PipelineContainerSpec.Lifecycle
        resources:PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec
        env:[PipelineDeploymentConfig.PipelineContainerSpec.EnvVar]
    """,
    "PipelineDeploymentConfig.PipelineContainerSpec.EnvVar": """
        name:text value:text
    """,
    "PipelineDeploymentConfig.PipelineContainerSpec.Lifecycle": """
        preCacheCheck:PipelineDeploymentConfig.PipelineContainerSpec.Lifecycle.Exec
    """,
    "PipelineDeploymentConfig.PipelineContainerSpec.Lifecycle.Exec": """
        command:[text] args:[text]
    """,
    "PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec": """
        cpuLimit:number memoryLimit:number cpuRequest:number memoryRequest:number resourceCpuLimit:text
        resourceMemoryLimit:text resourceCpuRequest:text resourceMemoryRequest:text
        accelerator:PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec.AcceleratorConfig
    """,
    "PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec.AcceleratorConfig": """
        type:text count:int resourceType:text resourceCount:text
    """,
    "PipelineDeploymentConfig.ResolverSpec": """
        outputArtifactQueries:{PipelineDeploymentConfig.ResolverSpec.ArtifactQuerySpec}
    """,
    "PipelineDeploymentConfig.ResolverSpec.ArtifactQuerySpec": """
        filter:text limit:int
    """,
    "PipelineInfo": """
        name:text displayName:text description:text
    """,
    "PipelineSpec": """
        pipelineInfo:PipelineInfo deploymentSpec:any sdkVersion:text schemaVersion:text components:{ComponentSpec}
        root:ComponentSpec defaultPipelineRoot:text
    """,
    "PipelineTaskInfo": """
        name:text
    """,
    "PipelineTaskSpec": """
        taskInfo:PipelineTaskInfo inputs:TaskInputsSpec dependentTasks:[text]
        cachingOptions:PipelineTaskSpec.CachingOptions componentRef:ComponentRef
        triggerPolicy:PipelineTaskSpec.TriggerPolicy artifactIterator:ArtifactIteratorSpec@iterator
        parameterIterator:ParameterIteratorSpec@iterator retryPolicy:PipelineTaskSpec.RetryPolicy
        iteratorPolicy:PipelineTaskSpec.IteratorPolicy
    """,
    "PipelineTaskSpec.CachingOptions": """
        enableCache:bool cacheKey:text
    """,
    "PipelineTaskSpec.IteratorPolicy": """
        parallelismLimit:int
    """,
    "PipelineTaskSpec.RetryPolicy": """
        maxRetryCount:int backoffDuration:text backoffFactor:number backoffMaxDuration:text
    """,
    "PipelineTaskSpec.TriggerPolicy": """
        condition:text strategy:TRIGGER_STRATEGY_UNSPECIFIED|ALL_UPSTREAM_TASKS_SUCCEEDED|ALL_UPSTREAM_TASKS_COMPLETED
    """,
    "PlatformDeploymentConfig": """
        executors:{any}
    """,
    "PlatformSpec": """
        platforms:{SinglePlatformSpec}
    """,
    "PodAffinityTerm": """
        matchPodExpressions:[SelectorRequirement] matchPodLabels:{text} topologyKey:text namespaces:[text]
        matchNamespaceExpressions:[SelectorRequirement] matchNamespaceLabels:{text} weight:int anti:bool
    """,
    "PodMetadata": """
        labels:{text} annotations:{text}
    """,
    "PvcMount": """
        taskOutputParameter:TaskInputsSpec.InputParameterSpec.TaskOutputParameterSpec@pvc_reference
        constant:text@pvc_reference componentInputParameter:text@pvc_reference mountPath:text
        pvcNameParameter:TaskInputsSpec.InputParameterSpec subPath:text
    """,
    "SecretAsEnv": """
        secretName:text keyToEnv:[SecretAsEnv.SecretKeyToEnvMap] optional:bool
        secretNameParameter:TaskInputsSpec.InputParameterSpec
    """,
    "SecretAsEnv.SecretKeyToEnvMap": """
        secretKey:text envVar:text
    """,
    "SecretAsVolume": """
        secretName:text mountPath:text optional:bool secretNameParameter:TaskInputsSpec.InputParameterSpec
    """,
    "SecurityContext": """
        runAsUser:int runAsGroup:int runAsNonRoot:bool
    """,
    "SelectorRequirement": """
        key:text operator:text values:[text]
    """,
    "SinglePlatformSpec": """
        deploymentSpec:PlatformDeploymentConfig platform:text config:any pipelineConfig:PipelineConfig
    """,
    "TaskConfigPassthrough": """
        field:NONE|RESOURCES|ENV|KUBERNETES_AFFINITY|KUBERNETES_TOLERATIONS|KUBERNETES_NODE_SELECTOR|KUBERNETES_VOLUMES
        applyToTask:bool
    """,
    "TaskInputsSpec": """
        parameters:{TaskInputsSpec.InputParameterSpec} artifacts:{TaskInputsSpec.InputArtifactSpec}
    """,
    "TaskInputsSpec.InputArtifactSpec": """
        taskOutputArtifact:TaskInputsSpec.InputArtifactSpec.TaskOutputArtifactSpec@kind componentInputArtifact:text@kind
    """,
    "TaskInputsSpec.InputArtifactSpec.TaskOutputArtifactSpec": """
        producerTask:text outputArtifactKey:text
    """,
    "TaskInputsSpec.InputParameterSpec": """
        taskOutputParameter:TaskInputsSpec.InputParameterSpec.TaskOutputParameterSpec@kind
        runtimeValue:ValueOrRuntimeParameter@kind componentInputParameter:text@kind
        taskFinalStatus:TaskInputsSpec.InputParameterSpec.TaskFinalStatus@kind parameterExpressionSelector:text
    """,
    "TaskInputsSpec.InputParameterSpec.TaskFinalStatus": """
        producerTask:text
    """,
    "TaskInputsSpec.InputParameterSpec.TaskOutputParameterSpec": """
        producerTask:text outputParameterKey:text
    """,
    "Toleration": """
        key:text operator:text value:text effect:text tolerationSeconds:int
        tolerationJson:TaskInputsSpec.InputParameterSpec
    """,
    "Value": """
        intValue:int@value doubleValue:number@value stringValue:text@value
    """,
    "ValueOrRuntimeParameter": """
        constantValue:Value@value runtimeParameter:text@value constant:any@value
    """,
    "WorkspaceConfig": """
        size:text kubernetes:KubernetesWorkspaceConfig
    """,
}
