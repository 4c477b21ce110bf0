"""Names of Twisted's modules that ours lack, by version. Made by tests/peers/names.py; not edited by hand."""

# fmt: off
# Where a module of Twisted's has a name from that it only imports; and =name if it is renamed.
IMPORTED: dict[str, str] = {
    "twisted._threads._ithreads":
        "zope.interface:Interface",
    "twisted._threads._memory":
        "enum:Enum,auto zope.interface:implementer",
    "twisted._threads._pool":
        "queue:Queue threading:local=LocalStorage,Lock,Thread twisted.python.log:err",
    "twisted._threads._team":
        "collections:deque zope.interface:implementer",
    "twisted._threads._threadworker":
        "collections.abc:Iterator enum:Enum,auto zope.interface:implementer",
    "twisted.internet._posixstdio":
        "twisted.internet:error,interfaces,process twisted.internet.interfaces:IProtocol,IReactorFDSet "
        "twisted.logger:Logger twisted.python:failure,log twisted.python.failure:Failure zope.interface:implementer",
    "twisted.internet._resolver":
        "socket:AF_INET,AF_INET6,AF_UNSPEC,AddressFamily,SOCK_DGRAM,SOCK_STREAM,SocketKind,gaierror,getaddrinfo "
        "twisted.internet._idna:_idnaBytes "
        "twisted.internet.interfaces:IAddress,IHostResolution,IHostnameResolver,IReactorThreads,IResolutionReceiver "
        "twisted.internet.interfaces:IResolverSimple twisted.internet.threads:deferToThreadPool twisted.logger:Logger "
        "twisted.python.compat:nativeString zope.interface:implementer",
    "twisted.internet.abstract":
        "collections.abc:Iterable socket:AF_INET,AF_INET6,inet_pton twisted.internet:interfaces,main "
        "twisted.python:failure,reflect twisted.python.compat:lazyByteSlice zope.interface:implementer",
    "twisted.internet.address":
        "attr twisted.internet.interfaces:IAddress "
        "twisted.python.filepath:_asFilesystemBytes,_coerceToFilesystemEncoding twisted.python.runtime:platform "
        "warnings:warn zope.interface:implementer",
    "twisted.internet.asyncioreactor":
        "errno sys asyncio:AbstractEventLoop,get_event_loop,get_running_loop,new_event_loop,set_event_loop "
        "twisted.internet.abstract:FileDescriptor twisted.internet.interfaces:IReactorFDSet "
        "twisted.internet.posixbase:_ContinuousPolling,_NO_FILEDESC twisted.logger:Logger "
        "twisted.python.log:callWithLogger zope.interface:implementer",
    "twisted.internet.base":
        "builtins socket warnings abc:ABC,abstractmethod collections.abc:Sequence heapq:heapify,heappop,heappush "
        "traceback:format_stack twisted.internet:abstract,defer,error,fdesc,main,threads "
        "twisted.internet._resolver:ComplexResolverSimplifier=_ComplexResolverSimplifier,GAIResolver=_GAIResolver "
        "twisted.internet._resolver:SimpleResolverComplexifier=_SimpleResolverComplexifier "
        "twisted.internet._signals:SignalHandling,_WithSignalHandling,_WithoutSignalHandling "
        "twisted.internet.defer:Deferred,DeferredList "
        "twisted.internet.interfaces:IAddress,IConnector,IDelayedCall,IHostnameResolver,IProtocol,IReactorCore "
        "twisted.internet.interfaces:IReactorFromThreads,IReactorPluggableNameResolver,IReactorPluggableResolver "
        "twisted.internet.interfaces:IReactorThreads,IReactorTime,IReadDescriptor,IResolverSimple,IWriteDescriptor "
        "twisted.internet.interfaces:_ISupportsExitSignalCapturing twisted.internet.protocol:ClientFactory,P "
        "twisted.logger:Logger twisted.python:log,reflect,threadable twisted.python.failure:Failure "
        "twisted.python.log:callWithLogger=_callWithLogger twisted.python.runtime:platform,seconds=runtimeSeconds "
        "twisted.python.threadpool:ThreadPool types:FrameType zope.interface:classImplements,implementer",
    "twisted.internet.default":
        "twisted.python.runtime:platform",
    "twisted.internet.defer":
        "attr inspect traceback abc:ABC,abstractmethod asyncio:AbstractEventLoop,Future,iscoroutine "
        "collections.abc:Awaitable,Coroutine,Generator,Iterable,Mapping,Sequence "
        "contextvars:Context=_Context,copy_context=_copy_context enum:Enum functools:wraps incremental:Version "
        "sys:exc_info,implementation twisted.internet.interfaces:IDelayedCall,IReactorTime twisted.logger:Logger "
        "twisted.python:lockfile twisted.python.compat:_PYPY,cmp,comparable "
        "twisted.python.deprecate:deprecated,deprecatedProperty,warnAboutFunction twisted.python.failure:_extraneous "
        "types:CoroutineType,GeneratorType,MappingProxyType,TracebackType",
    "twisted.internet.endpoints":
        "os re socket warnings OpenSSL.SSL:Error=SSLError collections.abc:Iterable,Sequence "
        "constantly:NamedConstant,Names incremental:Version twisted.internet:defer,error,fdesc,interfaces,threads "
        "twisted.internet._idna:_idnaBytes,_idnaText twisted.internet._resolver:HostResolution "
        "twisted.internet.abstract:isIPAddress,isIPv6Address "
        "twisted.internet.address:HostnameAddress,IPv4Address,IPv6Address,_ProcessAddress "
        "twisted.internet.defer:Deferred "
        "twisted.internet.interfaces:Binding,IAddress,IHostResolution,IHostnameResolver "
        "twisted.internet.interfaces:IOpenSSLClientConnectionCreator,IOpenSSLServerConnectionCreator,IProtocol "
        "twisted.internet.interfaces:IProtocolFactory,IReactorCore,IReactorPluggableNameResolver,IReactorSocket "
        "twisted.internet.interfaces:IReactorTime,IResolutionReceiver,IStreamClientEndpoint "
        "twisted.internet.interfaces:IStreamClientEndpointStringParserWithReactor,IStreamServerEndpoint "
        "twisted.internet.interfaces:IStreamServerEndpointStringParser,_Binding "
        "twisted.internet.protocol:ClientFactory,Factory,ProcessProtocol,Protocol "
        "twisted.internet.ssl:Certificate,CertificateOptions,KeyPair,PrivateCertificate,optionsForClientTLS "
        "twisted.internet.ssl:trustRootFromCertificates twisted.internet.stdio:PipeAddress,StandardIO "
        "twisted.internet.task:LoopingCall twisted.logger:Logger twisted.plugin:IPlugin,getPlugins "
        "twisted.protocols._sni:SNIConnectionCreator,autoReloadingDirectoryOfPEMs "
        "twisted.protocols.tls:TLSMemoryBIOFactory,TLSMemoryBIOFactory=_TLSMemoryBIOFactory "
        "twisted.python:deprecate,log twisted.python.compat:_matchingString,iterbytes,nativeString "
        "twisted.python.components:proxyForInterface twisted.python.failure:Failure twisted.python.filepath:FilePath "
        "unicodedata:normalize zope.interface:directlyProvides,implementer,provider",
    "twisted.internet.epollreactor":
        "errno select select:EPOLLERR,EPOLLHUP,EPOLLIN,EPOLLOUT,epoll twisted.internet:posixbase "
        "twisted.internet.interfaces:IReactorFDSet twisted.python:log zope.interface:implementer",
    "twisted.internet.error":
        "incremental:Version twisted.python:deprecate",
    "twisted.internet.fdesc":
        "fcntl=_fcntl errno fcntl os",
    "twisted.internet.inotify":
        "twisted.internet:fdesc twisted.python:_inotify,log",
    "twisted.internet.main":
        "twisted.internet:error",
    "twisted.internet.pollreactor":
        "errno select:POLLERR,POLLHUP,POLLIN,POLLNVAL,POLLOUT,error=SelectError,poll twisted.internet:posixbase "
        "twisted.internet.interfaces:IReactorFDSet twisted.python:log zope.interface:implementer",
    "twisted.internet.posixbase":
        "socket twisted.internet.ssl=ssl sys twisted.protocols.tls=tls collections.abc:Sequence "
        "twisted.internet:ssl=_ssl,error,process,tcp,udp,unix "
        "twisted.internet._signals:SignalHandling,_ChildSignalHandling,_IWaker,_MultiSignalHandling "
        "twisted.internet.interfaces:Binding,IConnector,IHalfCloseableDescriptor,IReactorFDSet,IReactorMulticast "
        "twisted.internet.interfaces:IReactorProcess,IReactorSSL,IReactorSocket,IReactorTCP,IReactorUDP,IReactorUNIX "
        "twisted.internet.interfaces:IReactorUNIXDatagram twisted.internet.main:CONNECTION_DONE,CONNECTION_LOST "
        "twisted.internet.protocol:ClientFactory,P twisted.protocols:tls=_tls twisted.python:failure,log "
        "twisted.python.runtime:platform,platformType zope.interface:classImplements,implementer",
    "twisted.internet.process":
        "fcntl=_fcntl pty=_pty errno fcntl gc io pty signal stat sys termios traceback collections:defaultdict "
        "os:POSIX_SPAWN_CLOSE=_PS_CLOSE,POSIX_SPAWN_DUP2=_PS_DUP2 twisted.internet:abstract,error,fdesc "
        "twisted.internet._baseprocess:BaseProcess twisted.internet.error:ProcessExitedAlready "
        "twisted.internet.interfaces:IProcessTransport twisted.internet.main:CONNECTION_DONE,CONNECTION_LOST "
        "twisted.python:failure,log twisted.python.runtime:platform twisted.python.util:switchUID "
        "zope.interface:implementer",
    "twisted.internet.protocol":
        "random twisted.internet:defer,error,interfaces "
        "twisted.internet.interfaces:IAddress,IConnector,IMulticastTransport,ITransport,IUDPTransport "
        "twisted.logger:_loggerFor twisted.python:components,failure,log zope.interface:implementer",
    "twisted.internet.selectreactor":
        "select sys errno:EBADF,EINTR time:sleep twisted.internet:posixbase "
        "twisted.internet.interfaces:IFileDescriptor,IReactorFDSet,IReadDescriptor,IWriteDescriptor "
        "twisted.python:log twisted.python.runtime:platformType zope.interface:implementer",
    "twisted.internet.stdio":
        "twisted.python.runtime:platform",
    "twisted.internet.task":
        "collections.abc:Coroutine,Sequence incremental:Version "
        "twisted.internet.interfaces:IDelayedCall,IReactorCore,IReactorTime twisted.python:log,reflect "
        "twisted.python.deprecate:_getDeprecationWarningString zope.interface:implementer",
    "twisted.internet.tcp":
        "attr os socket struct sys errno:errorcode os:strerror "
        "twisted.internet:abstract,address,base,defer,error,fdesc,main "
        "twisted.internet._newtls:ClientMixin=_TLSClientMixin,ConnectionMixin=_TLSConnectionMixin "
        "twisted.internet._newtls:ServerMixin=_TLSServerMixin "
        "twisted.internet.error:CannotListenError,ConnectionDone,ConnectionLost "
        "twisted.internet.interfaces:Binding,IHalfCloseableProtocol,IListeningPort,IProtocol,IProtocolFactory "
        "twisted.internet.interfaces:IReactorFDSet,IReactorTCP,ISystemHandle,ITCPTransport,ITLSTransport,_Binding "
        "twisted.internet.protocol:ClientFactory,Factory,P,Protocol twisted.internet.task:deferLater "
        "twisted.logger:ILogObserver,LogEvent,Logger twisted.python:deprecate,failure,log,reflect,versions "
        "twisted.python.compat:lazyByteSlice twisted.python.runtime:platformType twisted.python.util:untilConcludes "
        "zope.interface:Interface,implementer",
    "twisted.internet.testing":
        "collections.abc:Coroutine,Generator,Iterator,Sequence dataclasses:dataclass io:BytesIO "
        "socket:AF_INET,AF_INET6 time:time twisted.internet:address,error,protocol,task "
        "twisted.internet.abstract:_dataMustBeBytes,isIPv6Address "
        "twisted.internet.address:IPv4Address,IPv6Address,UNIXAddress "
        "twisted.internet.defer:Deferred,ensureDeferred,succeed twisted.internet.error:UnsupportedAddressFamily "
        "twisted.internet.interfaces:IAddress,IConnector,IConsumer,IHostResolution,IHostnameResolver,IListeningPort "
        "twisted.internet.interfaces:IProtocol,IProtocolFactory,IPushProducer,IReactorCore,IReactorFDSet "
        "twisted.internet.interfaces:IReactorPluggableNameResolver,IReactorSSL,IReactorSocket,IReactorTCP "
        "twisted.internet.interfaces:IReactorUNIX,IReadDescriptor,IResolutionReceiver,ITransport,IUDPTransport "
        "twisted.internet.interfaces:IWriteDescriptor twisted.internet.protocol:ClientFactory "
        "twisted.internet.task:Clock twisted.logger:ILogObserver,LogEvent,LogPublisher twisted.protocols:basic "
        "twisted.python:failure twisted.trial.unittest:TestCase zope.interface:implementedBy,implementer "
        "zope.interface.verify:verifyClass",
    "twisted.internet.threads":
        "queue=Queue twisted.internet:defer twisted.internet.interfaces:IReactorFromThreads,IReactorThreads "
        "twisted.python:failure twisted.python.threadpool:ThreadPool",
    "twisted.internet.udp":
        "socket struct warnings errno:EAGAIN,ECONNREFUSED,EINTR,EMSGSIZE,ENOPROTOOPT,EWOULDBLOCK "
        "twisted.internet:abstract,address,base,defer,error,interfaces twisted.internet.interfaces:IReactorMulticast "
        "twisted.internet.protocol:AbstractDatagramProtocol twisted.python:failure,log "
        "twisted.python.runtime:platformType zope.interface:implementer",
    "twisted.internet.unix":
        "os twisted.python.sendmsg=sendmsg socket stat struct "
        "errno:EAGAIN,ECONNREFUSED,EINTR,EMSGSIZE,ENOBUFS,EWOULDBLOCK "
        "twisted.internet:address,base,error,interfaces,main,protocol,tcp,udp "
        "twisted.internet.abstract:FileDescriptor twisted.internet.interfaces:IProtocolFactory "
        "twisted.python:sendmsg=_sendmsg,failure,lockfile,log,reflect twisted.python.compat:lazyByteSlice "
        "twisted.python.filepath:_coerceToFilesystemEncoding twisted.python.util:untilConcludes "
        "zope.interface:implementedBy,implementer,implementer_only",
    "twisted.internet.utils":
        "sys io:BytesIO twisted.internet:defer,protocol twisted.python:failure",
    "twisted.protocols.basic":
        "math io:BytesIO struct:calcsize,pack,unpack twisted.internet:defer,interfaces,protocol twisted.python:log "
        "zope.interface:implementer",
    "twisted.protocols.haproxy._exceptions":
        "contextlib collections.abc:Generator",
    "twisted.protocols.haproxy._info":
        "attr twisted.internet.interfaces:IAddress",
    "twisted.protocols.haproxy._interfaces":
        "zope",
    "twisted.protocols.haproxy._parser":
        "twisted.internet.endpoints:IStreamServerEndpointStringParser,_WrapperServerEndpoint,quoteStringArgument "
        "twisted.internet.endpoints:serverFromString",
    "twisted.protocols.haproxy._v1parser":
        "twisted.internet:address twisted.protocols.haproxy._exceptions:convertError",
    "twisted.protocols.haproxy._v2parser":
        "binascii struct constantly:ValueConstant,Values twisted.internet:address "
        "twisted.protocols.haproxy._exceptions:convertError twisted.python:compat",
    "twisted.protocols.haproxy._wrapper":
        "twisted.internet.endpoints:_WrapperServerEndpoint twisted.protocols:policies",
    "twisted.protocols.loopback":
        "twisted.internet:defer,interfaces,main,protocol twisted.internet.interfaces:IAddress "
        "twisted.internet.task:deferLater twisted.protocols:policies twisted.python:failure "
        "zope.interface:implementer",
    "twisted.protocols.policies":
        "twisted.internet:error,interfaces twisted.internet.interfaces:IAddress,ILoggingContext "
        "twisted.internet.protocol:ClientFactory,Protocol twisted.python:log "
        "zope.interface:directlyProvides,providedBy",
    "twisted.protocols.portforward":
        "twisted.internet:protocol "
        "twisted.internet.interfaces:IAddress,IConsumer,IPushProducer,IStreamServerEndpoint,ITransport "
        "twisted.python:log",
    "twisted.protocols.stateful":
        "io:BytesIO twisted.internet:protocol",
    "twisted.protocols.tls":
        "OpenSSL.SSL:Connection,Error,SysCallError,WantReadError,ZeroReturnError collections.abc:Iterable "
        "twisted.internet._sslverify:_setAcceptableProtocols "
        "twisted.internet.interfaces:IDelayedCall,IHandshakeListener,ILoggingContext,INegotiated "
        "twisted.internet.interfaces:IOpenSSLClientConnectionCreator,IOpenSSLServerConnectionCreator,IProtocol "
        "twisted.internet.interfaces:IProtocolFactory,IProtocolNegotiationFactory,IPushProducer,IReactorTime "
        "twisted.internet.interfaces:ISystemHandle,ITransport twisted.internet.main:CONNECTION_LOST "
        "twisted.internet.protocol:Protocol,connectionDone twisted.protocols._tls_legacy:_convertToAppropriateFactory "
        "twisted.protocols.policies:ProtocolWrapper,WrappingFactory twisted.python.failure:Failure "
        "zope.interface:directlyProvides,implementer,providedBy",
    "twisted.python.failure":
        "copy inspect opcode functools:partial incremental:Version inspect:getmro twisted.python:reflect "
        "twisted.python.deprecate:deprecatedProperty types:CodeType",
    "twisted.python.threadable":
        "threading=_threadingmodule threading=threadingmodule",
    "twisted.python.threadpool":
        "twisted._threads:pool=_pool twisted.python:log twisted.python.deprecate:deprecated "
        "twisted.python.versions:Version",
}
# What a module of Twisted's defines: name@first-last, the versions of Twisted it was seen in.
LACKING: dict[str, str] = {
    "twisted._threads._memory":
        "NoMore@24.10-26.10",
    "twisted._threads._pool":
        "_ThreadFactory@24.3-26.10",
    "twisted._threads._threadworker":
        "T@24.10-26.10 U@24.10-26.10 _stop@24.3-24.7 smartiter@24.10-26.10",
    "twisted.internet._posixstdio":
        "_log@24.7-26.10",
    "twisted.internet._resolver":
        "_GETADDRINFO_RESULT@24.3-25.5 _LikeGetAddrInfo@26.4-26.10 _afToType@24.3-26.10 _any@24.3-26.10 "
        "_socktypeToType@24.3-26.10 _transportToSocket@24.3-26.10 _typesToAF@24.3-26.10",
    "twisted.internet.abstract":
        "_ConsumerMixin@24.3-26.10 _ConsumerMixinType@26.10-26.10 _LogOwner@24.3-26.10 _concatenate@24.3-26.10",
    "twisted.internet.address":
        "_ServerFactoryIPv4Address@24.3-26.4",
    "twisted.internet.base":
        "_DEFAULT_DELAYED_CALL_LOGGING_HANDLER@24.10-26.10 _ThreadCall@24.3-26.10 _ThreePhaseEventTrigger@24.3-26.10 "
        "_ThreePhaseEventTriggerCallable@24.3-26.10 _ThreePhaseEventTriggerHandle@24.3-26.10 _log@24.7-26.10 "
        "_systemEventHandler@24.7-26.10 _threadCallHandler@24.7-26.10 _topHandler@24.7-26.10",
    "twisted.internet.defer":
        "_CONTINUE@24.3-26.10 _CallbackChain@24.3-26.10 _CallbackKeywordArguments@24.3-26.10 "
        "_CallbackOrderedArguments@24.3-26.10 _CancellationStatus@24.3-26.10 _ConcurrencyPrimitive@24.3-26.10 "
        "_DeferableGenerator@24.3-24.11 _InternalInlineCallbacksCancelledError@24.3-26.10 _NONE_KWARGS@24.3-26.10 "
        "_NO_RESULT@24.3-26.10 _NextResultT@24.3-26.10 _P@24.3-26.10 _SelfResultT@24.3-26.10 _Sentinel@24.3-26.10 "
        "_addCancelCallbackToDeferred@24.3-26.10 _cancellableInlineCallbacks@24.3-26.10 "
        "_cancelledToTimedOutError@24.3-26.10 _deferGenerator@24.3-24.11 _failthru@24.3-26.10 "
        "_gotResultInlineCallbacks@24.3-26.10 _handleCancelInlineCallbacks@24.3-26.10 _inlineCallbacks@24.3-26.10 "
        "_oldPypyStack@24.3-25.5 _parseDeferredListResult@24.3-26.10 log@24.3-26.10",
    "twisted.internet.endpoints":
        "_DeferToThreadFunction@26.4-26.10 _IProcessTransportWithConsumerAndProducer@24.3-26.10 _OP@24.3-26.10 "
        "_P@26.4-26.10 _R@26.4-26.10 _STRING@24.3-26.10 _TCPServerEndpoint@24.3-26.10 _clientParsers@24.3-26.10 "
        "_endpointClientFactories@24.3-26.10 _endpointServerFactories@24.3-26.10 _gairesult@25.5-26.10 "
        "_matchPluginToPrefix@24.3-26.10 _parseClientSSL@24.3-26.10 _parseClientSSLOptions@24.3-26.10 "
        "_parseClientTCP@24.3-26.10 _parseClientTLS@24.3-26.10 _parseClientUNIX@24.3-26.10 _parseSSL@24.3-26.10 "
        "_parseTCP@24.3-26.10 _parseTrustRootPath@24.3-26.10 _parseUNIX@24.3-26.10 _privateCertFromPaths@24.3-26.10 "
        "_serverParsers@24.3-26.10 _staticmethod@26.4-26.10 _tokenize@24.3-26.10",
    "twisted.internet.posixbase":
        "_DisconnectSelectableMixin@24.3-26.10",
    "twisted.internet.process":
        "_FDDetector@24.3-26.10 detector@24.3-26.10",
    "twisted.internet.protocol":
        "R@26.4-26.10 SomeProtocol@26.4-26.4 _FactoryParams@26.4-26.10 _LSPViolationHelper@26.4-26.4 "
        "_ProtoWithFactory@26.4-26.10 _Value@26.4-26.4",
    "twisted.internet.selectreactor":
        "_T@24.7-26.10 _extraBase@24.3-26.10 _onePreen@24.7-26.10 win32select@24.3-26.10",
    "twisted.internet.task":
        "_T@24.3-26.10 _TaskIteratorT@26.4-26.10 _TaskResultT@24.3-25.5 _Timer@24.3-26.10 "
        "_defaultScheduler@24.3-26.10",
    "twisted.internet.tcp":
        "_AI_NUMERICSERV@24.3-26.10 _AbortingMixin@24.3-26.10 _BaseBaseClient@24.3-26.10 _BaseTCPClient@24.3-26.10 "
        "_HasClose@24.3-26.10 _SocketCloser@24.3-26.10 _accept@24.3-26.10 _constructTCPPort@26.10-26.10 "
        "_getpeername@24.3-26.10 _getrealname@24.3-26.10 _getsockname@24.3-26.10",
    "twisted.internet.testing":
        "_P@24.3-26.10 _ProtocolConnectionMadeHaver@25.5-26.10 _SynchronousResolution@25.5-26.10 _T@24.10-26.10 "
        "_benchmarkWithReactor@24.10-26.10 _runReactor@24.10-26.10 _stopReactor@24.10-26.10 iface@24.3-26.10",
    "twisted.internet.threads":
        "_P@24.3-26.10 _R@24.3-26.10 _runMultiple@24.3-26.10",
    "twisted.internet.unix":
        "_UNIXPort@24.3-26.10 _UnsupportedSendmsgMixin@24.3-26.10 _ancillaryDescriptor@24.3-26.10 "
        "_inFilesystemNamespace@24.3-26.10",
    "twisted.internet.utils":
        "_BackRelay@24.3-26.10 _EverythingGetter@24.3-26.10 _ValueGetter@24.3-26.10 "
        "_callProtocolWithDeferred@24.3-26.10 _resetWarningFilters@24.3-26.10",
    "twisted.protocols.basic":
        "DEBUG@24.3-26.10 _RecvdCompatHack@24.3-26.10 _formatNetstring@24.3-26.10",
    "twisted.protocols.haproxy._exceptions":
        "convertError@24.3-26.10",
    "twisted.protocols.haproxy._interfaces":
        "IProxyParser@24.3-26.10",
    "twisted.protocols.haproxy._v2parser":
        "NetFamily@24.3-26.10 NetProtocol@24.3-26.10 _HIGH@24.3-26.10 _LOCALCOMMAND@24.3-26.10 _LOW@24.3-26.10 "
        "_PROXYCOMMAND@24.3-26.10",
    "twisted.protocols.loopback":
        "_loopbackAsyncBody@24.3-26.10 _loopbackAsyncContinue@24.3-26.10",
    "twisted.protocols.policies":
        "_wrappedLogPrefix@24.3-26.10",
    "twisted.protocols.portforward":
        "_MakeTypesHappy@26.4-26.10",
    "twisted.protocols.tls":
        "_ContextFactoryToConnectionFactory@24.3-25.5 _NullAggregator@26.10-26.10 _representsEOF@24.3-26.10",
    "twisted.python.failure":
        "_T_Callable@24.3-26.10 _debuginit@24.3-26.10 _inlineCallbacksExtraneous@24.3-26.10 _safeReprVars@24.3-26.10 "
        "count@24.3-26.10 traceupLength@24.3-26.10",
    "twisted.python.threadable":
        "_dummyID@24.3-26.10 _sync@24.3-26.10 _synchLockCreator@24.3-26.10 _synchPost@24.3-26.10 _synchPre@24.3-26.10",
    "twisted.python.threadpool":
        "_P@24.3-26.10 _R@24.3-26.10 _State@24.3-26.10 _SupportsQsize@24.3-26.10",
}
# fmt: on
